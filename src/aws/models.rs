//! Models from S3.

use super::client::error_cause;
use crate::config::LambdaConfig;
use crate::error::{Error, Result};
use crate::model_spec::ModelSpec;
use crate::segmenter::{Models, Observer, Segmenter};
use crate::stopwatch::Stopwatch;
use crate::storage::ModelFiles;
use crate::telemetry::{Unit, line, now_ms, process_age_ms};
use aws_sdk_s3::Client;
use serde_json::json;
use sha2::{Digest, Sha256};

/// Durations of the parts of a start, ms. Models load at the same time, so each is that of the slowest model.
#[derive(Debug, Clone, Copy, Default)]
struct StartTimings {
    /// From the bucket into memory, with the checksums.
    fetch: f64,
    /// Bytes to graphs.
    parse: f64,
    /// Graphs to plans.
    optimise: f64,
}

/// The models of a function, and the log line of its start.
#[derive(Debug)]
pub struct Startup {
    /// The models, ready or built at their first use.
    pub models: Models,
    /// The line, in the form of [`crate::telemetry`].
    pub log_line: String,
}

/// Loads the models of `config` and measures how long each part takes.
///
/// # Errors
/// [`ichor_core::Error::Model`] with the model, the key and the answer of S3.
pub async fn start(client: &Client, config: &LambdaConfig) -> Result<Startup> {
    let process = process_age_ms();
    let stopwatch = Stopwatch::start();
    let (models, StartTimings { fetch, parse, optimise }) =
        load_models(client, config, stopwatch).await?;
    let mut metrics = vec![
        ("fetch_ms", fetch, Unit::Milliseconds),
        ("parse_ms", parse, Unit::Milliseconds),
        ("optimise_ms", optimise, Unit::Milliseconds),
        ("models_ms", stopwatch.elapsed_ms(), Unit::Milliseconds),
    ];
    metrics.extend(process.map(|ms| ("process_ms", ms, Unit::Milliseconds)));
    let names: Vec<&str> = models.iter().map(|m| m.spec().name.as_str()).collect();
    let facts = json!({"event": "start", "models": names, "function": config.function});
    Ok(Startup { models, log_line: line(facts, &["function"], &metrics, now_ms()) })
}

/// Fetches and verifies the models of `config`, all at the same time. The default model is built as soon as
/// its bytes are there. The others are built at their first use, since most instances never need them.
async fn load_models(
    client: &Client,
    config: &LambdaConfig,
    stopwatch: Stopwatch,
) -> Result<(Models, StartTimings)> {
    let start = stopwatch.elapsed_ms();
    let loads: Vec<_> = config
        .models
        .iter()
        .enumerate()
        .map(|(place, name)| {
            let (client, bucket) = (client.clone(), config.bucket.clone());
            let (prefix, name) = (format!("{}{name}/", config.prefix), name.clone());
            tokio::spawn(async move {
                let files = read_model(&client, &bucket, &prefix, &name).await?;
                let fetched = stopwatch.elapsed_ms() - start;
                let load = tokio::task::spawn_blocking(move || match place {
                    0 => Segmenter::load(files, &stopwatch),
                    _ => Segmenter::deferred(files),
                });
                let loaded = load.await.map_err(|e| Error::Internal(e.to_string()))?;
                Ok::<_, Error>((loaded?, fetched))
            })
        })
        .collect();
    let (mut models, mut timings) = (Vec::with_capacity(loads.len()), StartTimings::default());
    for load in loads {
        let (model, fetched) = load.await.map_err(|e| Error::Internal(e.to_string()))??;
        let loaded = model.load_timings();
        timings.fetch = timings.fetch.max(fetched);
        timings.parse = timings.parse.max(loaded.parse);
        timings.optimise = timings.optimise.max(loaded.optimise);
        models.push(model);
    }
    Ok((Models::from_loaded(models, None)?, timings))
}

/// Fetches and verifies models one after the other, without building their networks.
///
/// # Errors
/// As [`start`].
pub async fn fetch_models(
    client: &Client,
    bucket: &str,
    prefix: &str,
    names: &[String],
) -> Result<Vec<ModelFiles>> {
    let mut models = Vec::with_capacity(names.len());
    for name in names {
        models.push(read_model(client, bucket, &format!("{prefix}{name}/"), name).await?);
    }
    Ok(models)
}

async fn read_model(client: &Client, bucket: &str, prefix: &str, name: &str) -> Result<ModelFiles> {
    let key = |file: &str| format!("{prefix}{file}");
    let (card_key, spec_key, onnx_key) =
        (key("MODEL_CARD.md"), key("model.json"), key("model.onnx"));
    // The network's file name is fixed in S3, so that all three can be fetched at the same time.
    let ((spec, _), (onnx, digest), (card, _)) = tokio::try_join!(
        read_object(client, bucket, &spec_key, name),
        read_object(client, bucket, &onnx_key, name),
        read_object(client, bucket, &card_key, name),
    )?;
    let card = String::from_utf8_lossy(&card).into_owned();
    Ok(ModelFiles::digested(ModelSpec::from_json(name, &spec)?, onnx, &digest, card)?)
}

/// An object and its SHA-256, computed piece by piece while the next piece arrives.
async fn read_object(
    client: &Client,
    bucket: &str,
    key: &str,
    model: &str,
) -> Result<(Vec<u8>, [u8; 32])> {
    let fail =
        |reason: String| Error::from(ichor_core::Error::Model { model: model.into(), reason });
    let explain = |cause: String| {
        fail(format!(
            "s3://{bucket}/{key} cannot be read ({cause}). Check ICHOR_BUCKET, ICHOR_PREFIX, \
             ICHOR_MODELS and the function's permission to read that prefix"
        ))
    };
    let mut object = client
        .get_object()
        .bucket(bucket)
        .key(key)
        .send()
        .await
        .map_err(|e| explain(error_cause(&e)))?;
    let length = object.content_length().and_then(|n| usize::try_from(n).ok()).unwrap_or(0);
    let (mut bytes, mut digest) =
        (Vec::with_capacity(length.min(MAX_RESERVED_BYTES)), Sha256::new());
    while let Some(piece) = object.body.next().await {
        let piece = piece.map_err(|e| explain(e.to_string()))?;
        digest.update(&piece);
        bytes.extend_from_slice(&piece);
    }
    Ok((bytes, digest.finalize().into()))
}

/// Memory reserved before an object arrives; the vector of a larger object grows as it arrives.
const MAX_RESERVED_BYTES: usize = 256 << 20;
