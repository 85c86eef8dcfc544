//! The commands of `ichor`.

mod evaluate;
mod info;
mod inspect;
mod models;
mod segment;
mod serve;
mod walk;

use crate::config::{Cli, Command, PrepareArgs};
use crate::embedded::Embedded;
use crate::error::{Error, Result};
use crate::model_spec::ModelSpec;
use crate::prepare::prepare_dataset;
use indicatif::{ProgressBar, ProgressStyle};

/// Runs one command. `embedded` are the models and the page inside the program.
///
/// # Errors
/// The error that stops the command.
pub fn run(cli: Cli, embedded: &'static Embedded) -> Result<()> {
    // `ichor inspect … | head` ends without an error, as other tools do. A server continues without a reader.
    if !matches!(cli.command, Command::Serve(_)) {
        sigpipe::reset();
    }
    match cli.command {
        Command::Serve(args) => serve::serve(args, embedded),
        Command::Segment(args) => segment::segment(args, embedded),
        Command::Evaluate(args) => evaluate::evaluate_dataset(args, embedded),
        Command::Models(args) => models::list_models(&args, embedded),
        Command::Info(args) => info::print_info(&args, embedded),
        Command::Inspect(args) => inspect::inspect_files(&args),
        Command::Prepare(args) => prepare(&args),
    }
}

fn prepare(args: &PrepareArgs) -> Result<()> {
    let json = std::fs::read(&args.spec).map_err(Error::io("The --spec file cannot be read"))?;
    let spec = ModelSpec::from_json("--spec", &json)?;
    let bar = progress_bar(0);
    let count = prepare_dataset(&args.dataset, &spec, &args.output, progress_of(&bar))?;
    bar.finish_and_clear();
    println!("{count} slices prepared");
    Ok(())
}

/// A progress bar on standard error; the library hides it where that is not a terminal.
fn progress_bar(length: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} slices, {eta} left");
    ProgressBar::new(length as u64)
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// A callback that sets the bar to `done` of `all` slices. The total is known only after the table is read.
fn progress_of(bar: &ProgressBar) -> impl Fn(usize, usize) + Sync {
    |done, all| {
        bar.set_length(all as u64);
        bar.set_position(done as u64);
    }
}
