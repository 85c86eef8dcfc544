//! The models of a command: those of a folder, or those embedded in the program.

use crate::config::{EngineChoice, ModelArgs};
use crate::embedded::Embedded;
#[cfg(feature = "gpu")]
use crate::engine::{Engine, OrtRuntime};
use crate::error::Result;
use crate::http::ModelSource;
use crate::model_spec::ModelSpec;
use crate::segmenter::Models;
#[cfg(feature = "gpu")]
use crate::segmenter::Segmenter;
use crate::storage::{ModelFiles, read_model_dir};
use rayon::prelude::*;
use std::path::Path;

/// Folder of the models in the project, for a program without embedded models.
const FOLDER: &str = "models";

/// Loads all models. With the native engine, only the network of the default model is built now.
pub(super) fn load_default(
    args: &ModelArgs,
    embedded: &Embedded,
    default: Option<&str>,
) -> Result<Models> {
    let files = all_files(args, embedded)?;
    match args.engine {
        EngineChoice::Own => Ok(Models::load_default(files, default)?),
        EngineChoice::Tract | EngineChoice::Ort => load_files(files, default, args),
    }
}

/// Loads only the model `name`, or the first by name.
pub(super) fn load_one(
    args: &ModelArgs,
    embedded: &Embedded,
    name: Option<&str>,
) -> Result<Models> {
    let index = |names: &[&str]| match name {
        None => Ok(0),
        Some(name) => names
            .iter()
            .position(|known| *known == name)
            .ok_or_else(|| ichor_core::Error::ModelNotFound(names.join(", "))),
    };
    let files = if is_embedded(args, embedded) {
        let names: Vec<&str> = embedded.models.iter().map(|model| model.name).collect();
        embedded.models[index(&names)?].files()?
    } else {
        let mut files = all_files(args, embedded)?;
        let names: Vec<&str> = files.iter().map(|files| files.spec.name.as_str()).collect();
        files.swap_remove(index(&names)?)
    };
    load_files(vec![files], None, args)
}

pub(super) fn list_models(args: &ModelArgs, embedded: &Embedded) -> Result<()> {
    for files in all_files(args, embedded)? {
        let ModelSpec { name, version, title, architecture, license, .. } = files.spec;
        println!("{name} {version}: {title} ({architecture}); {license}");
    }
    Ok(())
}

fn load_files(files: Vec<ModelFiles>, default: Option<&str>, args: &ModelArgs) -> Result<Models> {
    match args.engine {
        EngineChoice::Own => Ok(Models::load(files, default)?),
        #[cfg(feature = "tract")]
        EngineChoice::Tract => Ok(Models::load_tract(files, default)?),
        #[cfg(not(feature = "tract"))]
        EngineChoice::Tract => Err(missing_engine("tract", "tract")),
        #[cfg(not(feature = "gpu"))]
        EngineChoice::Ort => Err(missing_engine("onnxruntime", "gpu")),
        #[cfg(feature = "gpu")]
        EngineChoice::Ort => {
            let models = Models::load_ort(files, default, &OrtRuntime::open(args.ort.settings())?)?;
            for facts in models.iter().filter_map(Segmenter::engine).map(Engine::facts) {
                facts.fallback.iter().for_each(|why| eprintln!("ichor: {why}"));
            }
            Ok(models)
        }
    }
}

/// The error for an engine that this build does not have.
#[cfg(not(all(feature = "gpu", feature = "tract")))]
fn missing_engine(engine: &str, feature: &str) -> crate::error::Error {
    crate::error::Error::InvalidParameter(format!(
        "This build has no {engine}. Build it with --features {feature}, or leave --engine out."
    ))
}

fn is_embedded(args: &ModelArgs, embedded: &Embedded) -> bool {
    args.models.is_none() && !embedded.models.is_empty()
}

/// Where the models of a command come from.
pub(super) fn source_of(args: &ModelArgs, embedded: &'static Embedded) -> ModelSource {
    match is_embedded(args, embedded) {
        true => ModelSource::Embedded(embedded),
        false => ModelSource::Folder(folder_of(args).to_path_buf()),
    }
}

fn folder_of(args: &ModelArgs) -> &Path {
    args.models.as_deref().unwrap_or(Path::new(FOLDER))
}

/// The files of all models, verified.
pub(super) fn all_files(args: &ModelArgs, embedded: &Embedded) -> Result<Vec<ModelFiles>> {
    if is_embedded(args, embedded) {
        // In parallel: checksums take half of the loading time.
        return embedded.models.par_iter().map(|model| Ok(model.files()?)).collect();
    }
    Ok(read_model_dir(folder_of(args))?)
}
