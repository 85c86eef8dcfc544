//! `info`: what this program is made of, for a report of a problem or a script.

use super::models::all_files;
use crate::config::InfoArgs;
use crate::decode::{Limits, MEDIA_TYPES};
use crate::embedded::Embedded;
use crate::engine::Level;
use crate::error::{Error, Result};
use serde::Serialize;

/// The program and what it can do on this machine.
#[derive(Serialize)]
struct Info {
    version: &'static str,
    /// Engines of this build.
    engines: Vec<&'static str>,
    /// Instruction set of the native engine's kernels.
    kernels: &'static str,
    /// CPU threads that work on a series.
    threads: usize,
    /// Whether the page is inside the program.
    has_page: bool,
    models: Vec<ModelInfo>,
    media_types: &'static [&'static str],
    limits: Limits,
}

#[derive(Serialize)]
struct ModelInfo {
    name: String,
    version: String,
    sha256: String,
    network_bytes: usize,
}

pub(super) fn print_info(args: &InfoArgs, embedded: &Embedded) -> Result<()> {
    let info = Info::new(args, embedded)?;
    if args.json {
        println!("{}", serde_json::to_string(&info).map_err(|e| Error::Internal(e.to_string()))?);
        return Ok(());
    }
    println!("ichor {}, for research and teaching only", info.version);
    println!("engines: {}", info.engines.join(", "));
    println!("kernels: {}, threads: {}", info.kernels, info.threads);
    println!("page inside the program: {}", if info.has_page { "yes" } else { "no" });
    for model in &info.models {
        let ModelInfo { name, version, sha256, network_bytes } = model;
        println!("model {name} {version}: {network_bytes} bytes, SHA-256 {sha256}");
    }
    println!("media types: {}", info.media_types.join(", "));
    let Limits { max_side_px, max_decoded_bytes, max_slices, max_series_bytes, .. } = info.limits;
    println!(
        "limits: {max_side_px} px per side, {max_decoded_bytes} bytes per slice, {max_slices} slices and \
         {max_series_bytes} bytes per series"
    );
    Ok(())
}

impl Info {
    fn new(args: &InfoArgs, embedded: &Embedded) -> Result<Self> {
        let mut engines = vec!["native"];
        engines.extend(cfg!(feature = "tract").then_some("tract"));
        engines.extend(cfg!(feature = "gpu").then_some("onnxruntime"));
        let models = all_files(&args.model_dir, embedded)?.into_iter().map(|files| ModelInfo {
            name: files.spec.name,
            version: files.spec.version,
            sha256: files.spec.sha256,
            network_bytes: files.onnx.len(),
        });
        Ok(Self {
            version: env!("CARGO_PKG_VERSION"),
            engines,
            kernels: Level::from_environment().map_err(Error::InvalidParameter)?.name(),
            threads: rayon::current_num_threads(),
            has_page: !embedded.page.is_empty(),
            models: models.collect(),
            media_types: &MEDIA_TYPES,
            limits: Limits::default(),
        })
    }
}
