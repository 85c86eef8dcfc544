//! `inspect`: what the reader understood, file by file.

use crate::config::InspectArgs;
use crate::decode::Limits;
use crate::error::{Error, Result};
use crate::inspect::{Inspection, SliceFacts, inspect_path};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// One line of `--json`: the file, then what it holds or why it cannot be read.
#[derive(Serialize)]
struct Line<'a> {
    file: &'a str,
    #[serde(flatten)]
    outcome: Outcome,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Outcome {
    Read(Inspection),
    Failure { error: String },
}

pub(super) fn inspect_files(args: &InspectArgs) -> Result<()> {
    let files = expand(&args.files)?;
    let mut failed = 0;
    for path in &files {
        let outcome = match inspect_path(path, &Limits::default()) {
            Ok(inspection) => Outcome::Read(inspection),
            Err(error) => {
                failed += 1;
                Outcome::Failure { error: error.to_string() }
            }
        };
        let file = &path.display().to_string();
        if args.json {
            let line = serde_json::to_string(&Line { file, outcome })
                .map_err(|e| Error::Inference(e.to_string()))?;
            println!("{line}");
        } else {
            match outcome {
                Outcome::Read(inspection) => print_table(file, &inspection),
                Outcome::Failure { error } => println!("{file}: {error}"),
            }
        }
    }
    if failed == 0 {
        return Ok(());
    }
    Err(Error::Unprocessable(format!(
        "{failed} of {} files could not be read; their lines on stdout say why.",
        files.len()
    )))
}

/// Folders become the files in them, by name; hidden files are left out.
fn expand(paths: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            let entries = std::fs::read_dir(path).map_err(Error::io("A folder cannot be read"))?;
            let mut inside: Vec<PathBuf> = entries
                .filter_map(|entry| entry.ok().map(|e| e.path()))
                .filter(|path| !hidden(path))
                .collect();
            inside.sort();
            files.extend(expand(&inside)?);
        } else {
            files.push(path.clone());
        }
    }
    Ok(files)
}

fn hidden(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'))
}

fn print_table(file: &str, inspection: &Inspection) {
    let syntax = inspection.transfer_syntax.as_deref().unwrap_or("none");
    println!(
        "{file}: {}, slices: {}, transfer syntax: {syntax}",
        inspection.format, inspection.slice_count
    );
    for (number, slice) in inspection.slices.iter().enumerate() {
        print_slice(number + 1, slice);
    }
}

fn print_slice(number: usize, slice: &SliceFacts) {
    let unit = if slice.is_hounsfield { " HU" } else { "" };
    let modality = slice.modality.as_deref().unwrap_or("modality unknown");
    let spacing = slice
        .spacing_mm
        .map_or("spacing unknown".into(), |[row, column]| format!("{row} x {column} mm"));
    let samples = slice.samples;
    println!(
        "  {number}: {} x {} px, {modality}, {spacing}, min {}{unit}, max {}{unit}, mean {:.2}{unit}",
        slice.width, slice.height, samples.min, samples.max, samples.mean
    );
    if let Some([x, y, z]) = slice.position_mm {
        println!("     position {x} {y} {z} mm");
    }
    if let Some([row, column]) = slice.orientation {
        println!("     rows along {row:?}, columns along {column:?}");
    }
    if let Some(tilt) = slice.gantry_tilt_degrees {
        println!("     gantry tilt {tilt} degrees");
    }
    for window in &slice.windows {
        println!("     window center {} width {}", window.center_hu, window.width_hu);
    }
    for warning in &slice.warnings {
        println!("     {}: {}", warning.code, warning.message);
    }
}
