//! `inspect`: the properties of files as the reader understands them.

use super::walk::{Listing, is_stdin, list_images, read_stdin, refuse_address};
use crate::config::InspectArgs;
use crate::decode::{FileKind, Identity, Limits};
use crate::error::{Error, Result};
use crate::inspect::{Inspection, SliceFacts, inspect, inspect_path};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// One line of `--json`: the file, then its properties or the reason why it cannot be read.
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
        let outcome = match inspect_one(path) {
            Ok(inspection) => Outcome::Read(inspection),
            Err(error) => {
                failed += 1;
                Outcome::Failure { error: error.to_string() }
            }
        };
        let file = &path.display().to_string();
        if args.json {
            let line = serde_json::to_string(&Line { file, outcome })
                .map_err(|e| Error::Internal(e.to_string()))?;
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
    Err(Error::unprocessable(format!(
        "{failed} of {} files could not be read; their lines on stdout say why.",
        files.len()
    )))
}

/// Replaces folders by the images in them, by the rules of `segment`.
fn expand(paths: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for path in paths {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let Listing { files: mut images, mut left_out, results } = list_images(path)?;
        let all = images.len();
        images.retain(|file| !matches!(file.kind, Ok(FileKind::Dicom(Ok(Identity::NoImage)))));
        left_out += results + all - images.len();
        if left_out > 0 {
            eprintln!(
                "ichor: {left_out} files in {} are not images and were left out",
                path.display()
            );
        }
        files.extend(images.into_iter().map(|file| file.path));
    }
    Ok(files)
}

/// Reads one file, or the standard input.
fn inspect_one(path: &Path) -> Result<Inspection> {
    let limits = Limits::default();
    if is_stdin(path) {
        return Ok(inspect(&read_stdin(limits.max_series_bytes)?, &limits)?);
    }
    refuse_address(path).map_or_else(|| Ok(inspect_path(path, &limits)?), Err)
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
