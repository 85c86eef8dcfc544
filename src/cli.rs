//! The commands of `ichor`.

mod evaluate;
mod inspect;
mod segment;
mod serve;

use crate::config::{Cli, Command, EngineChoice, ModelArgs, PrepareArgs};
use crate::engine::{Engine, OrtRuntime};
use crate::error::{Error, Result};
use crate::model_spec::ModelSpec;
use crate::prepare::prepare_dataset;
use crate::segmenter::{Models, Segmenter};
use crate::storage::{ModelFiles, read_model_dir};
use indicatif::{ProgressBar, ProgressStyle};

/// Runs one command to its end.
///
/// # Errors
/// The first error that stops the command.
pub fn run(cli: Cli) -> Result<()> {
    // `ichor inspect … | head` ends quietly, as other tools do; a server must outlive its readers.
    if !matches!(cli.command, Command::Serve(_)) {
        sigpipe::reset();
    }
    match cli.command {
        Command::Serve(args) => serve::serve(args),
        Command::Segment(args) => segment::segment(args),
        Command::Evaluate(args) => evaluate::evaluate_dataset(args),
        Command::Models(args) => list_models(&args),
        Command::Inspect(args) => inspect::inspect_files(&args),
        Command::Prepare(args) => prepare(&args),
    }
}

/// Loads the default model; networks of others that run on our own engines are built later.
fn load_default(args: &ModelArgs, default: Option<&str>) -> Result<Models> {
    let files = read_model_dir(&args.models)?;
    match args.engine {
        EngineChoice::Own => Models::load_default(files, default),
        EngineChoice::Ort => load_files(files, default, args),
    }
}

fn load_files(files: Vec<ModelFiles>, default: Option<&str>, args: &ModelArgs) -> Result<Models> {
    match args.engine {
        EngineChoice::Own => Models::load(files, default),
        EngineChoice::Ort => {
            let models = Models::load_ort(files, default, &OrtRuntime::open(args.ort.settings())?)?;
            for facts in models.iter().filter_map(Segmenter::engine).map(Engine::facts) {
                facts.fallback.iter().for_each(|why| eprintln!("ichor: {why}"));
            }
            Ok(models)
        }
    }
}

/// Loads only the model that is asked for, or the first by name.
fn load_one(args: &ModelArgs, name: Option<&str>) -> Result<Models> {
    let mut files = read_model_dir(&args.models)?;
    let names: Vec<String> = files.iter().map(|f| f.spec.name.clone()).collect();
    let wanted = match name {
        None => 0,
        Some(name) => names
            .iter()
            .position(|n| n == name)
            .ok_or_else(|| Error::ModelNotFound(names.join(", ")))?,
    };
    load_files(vec![files.swap_remove(wanted)], None, args)
}

fn list_models(args: &ModelArgs) -> Result<()> {
    for files in read_model_dir(&args.models)? {
        let ModelSpec { name, version, title, architecture, license, .. } = files.spec;
        println!("{name} {version}: {title} ({architecture}); {license}");
    }
    Ok(())
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

/// A bar on stderr; hidden by the library where that is no terminal.
fn progress_bar(length: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} slices, {eta} left");
    ProgressBar::new(length as u64)
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// Moves the bar to as many slices of all as are done; all are known only once a table was read.
fn progress_of(bar: &ProgressBar) -> impl Fn(usize, usize) + Sync {
    |done, all| {
        bar.set_length(all as u64);
        bar.set_position(done as u64);
    }
}
