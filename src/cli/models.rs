//! The models of a command: those of a folder, or those that the program carries.

use crate::config::{EngineChoice, ModelArgs};
use crate::embedded::Embedded;
#[cfg(feature = "gpu")]
use crate::engine::{Engine, OrtRuntime};
use crate::error::Result;
use crate::model_spec::ModelSpec;
use crate::segmenter::Models;
#[cfg(feature = "gpu")]
use crate::segmenter::Segmenter;
use crate::storage::{ModelFiles, read_model_dir};
use rayon::prelude::*;
use std::path::Path;

/// Folder of the models in the project, for a program that carries none.
const FOLDER: &str = "models";

/// Loads the default model; networks of others that run on the project's own engines are built later.
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

/// Loads only the model that is asked for, or the first by name.
pub(super) fn load_one(
    args: &ModelArgs,
    embedded: &Embedded,
    name: Option<&str>,
) -> Result<Models> {
    let place = |names: &[&str]| match name {
        None => Ok(0),
        Some(name) => names
            .iter()
            .position(|known| *known == name)
            .ok_or_else(|| ichor_core::Error::ModelNotFound(names.join(", "))),
    };
    let files = if is_carried(args, embedded) {
        let names: Vec<&str> = embedded.models.iter().map(|model| model.name).collect();
        embedded.models[place(&names)?].files()?
    } else {
        let mut files = all_files(args, embedded)?;
        let names: Vec<&str> = files.iter().map(|files| files.spec.name.as_str()).collect();
        let place = place(&names)?;
        files.swap_remove(place)
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
        EngineChoice::Tract => Err(missing("tract", "tract")),
        #[cfg(not(feature = "gpu"))]
        EngineChoice::Ort => Err(missing("onnxruntime", "gpu")),
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

/// An engine that was not built in, and the feature that builds it in.
#[cfg(not(all(feature = "gpu", feature = "tract")))]
fn missing(engine: &str, feature: &str) -> crate::error::Error {
    crate::error::Error::InvalidParameter(format!(
        "This build has no {engine}. Build it with --features {feature}, or leave --engine out."
    ))
}

fn is_carried(args: &ModelArgs, embedded: &Embedded) -> bool {
    args.models.is_none() && !embedded.models.is_empty()
}

fn all_files(args: &ModelArgs, embedded: &Embedded) -> Result<Vec<ModelFiles>> {
    if is_carried(args, embedded) {
        // Half of the time is taken by the checksums.
        return embedded.models.par_iter().map(|model| Ok(model.files()?)).collect();
    }
    Ok(read_model_dir(args.models.as_deref().unwrap_or(Path::new(FOLDER)))?)
}
