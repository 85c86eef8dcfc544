//! Models from S3.

use crate::config::LambdaConfig;
use crate::error::{Error, Result};
use crate::model_spec::ModelSpec;
use crate::segmenter::{Models, Segmenter};
use crate::storage::ModelFiles;
use crate::telemetry::{Unit, line, now_ms, process_age_ms};
use aws_config::timeout::TimeoutConfig;
use aws_sdk_s3::Client;
use aws_sdk_s3::error::ProvideErrorMetadata;
use serde_json::json;
use sha2::{Digest, Sha256};
use std::time::{Duration, Instant};

/// A client with the credentials and region of the environment. Its timeouts are short: a
/// cold start that cannot reach its bucket should fail while somebody is still waiting.
///
/// `endpoint` is that of another S3 server, addressed with the bucket in the path.
pub async fn client(endpoint: Option<&str>) -> Client {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(1))
        .operation_attempt_timeout(Duration::from_secs(3))
        .operation_timeout(Duration::from_secs(4))
        .build();
    let mut loader = aws_config::from_env().timeout_config(timeouts);
    if let Some(endpoint) = endpoint {
        loader = loader.endpoint_url(endpoint);
    }
    let shared = loader.load().await;
    let s3 = aws_sdk_s3::config::Builder::from(&shared).force_path_style(endpoint.is_some());
    Client::from_conf(s3.build())
}

/// How long the parts of a start took, ms; models run side by side, so parts are the longest.
#[derive(Debug, Clone, Copy, Default)]
pub struct StartTimings {
    /// From the bucket into memory, checksums included.
    pub fetch: f64,
    /// Bytes to graphs.
    pub parse: f64,
    /// Graphs to plans.
    pub optimise: f64,
}

/// A function that is ready.
#[derive(Debug)]
pub struct Started {
    /// Its models.
    pub models: Models,
    /// What is to be said of the start: see [`crate::telemetry`].
    pub line: String,
}

/// Loads the models of `config` and says how long each part took.
///
/// # Errors
/// As [`load_models`].
pub async fn start(client: &Client, config: &LambdaConfig) -> Result<Started> {
    let process = process_age_ms();
    let begun = Instant::now();
    let clock = move || begun.elapsed().as_secs_f64() * 1e3;
    let (models, StartTimings { fetch, parse, optimise }) =
        load_models(client, config, clock).await?;
    let mut metrics = vec![
        ("fetch_ms", fetch, Unit::Milliseconds),
        ("parse_ms", parse, Unit::Milliseconds),
        ("optimise_ms", optimise, Unit::Milliseconds),
        ("models_ms", clock(), Unit::Milliseconds),
    ];
    metrics.extend(process.map(|ms| ("process_ms", ms, Unit::Milliseconds)));
    let names: Vec<&str> = models.iter().map(|m| m.spec().name.as_str()).collect();
    let facts = json!({"event": "start", "models": names, "function": config.function});
    Ok(Started { models, line: line(facts, &["function"], &metrics, now_ms()) })
}

/// Fetches and verifies the models of `config`, all at once. The default one is loaded as soon as
/// its own bytes are there; the others are built when a slice first asks for them, as most instances
/// never hear of them. `clock` gives ms.
///
/// # Errors
/// [`ichor_core::Error::Model`] naming the model, the key and what S3 said.
pub async fn load_models(
    client: &Client,
    config: &LambdaConfig,
    clock: impl Fn() -> f64 + Copy + Send + 'static,
) -> Result<(Models, StartTimings)> {
    let start = clock();
    let loads: Vec<_> = config
        .models
        .iter()
        .enumerate()
        .map(|(place, name)| {
            let (client, bucket) = (client.clone(), config.bucket.clone());
            let (prefix, name) = (format!("{}{name}/", config.prefix), name.clone());
            tokio::spawn(async move {
                let files = read_model(&client, &bucket, &prefix, &name).await?;
                let fetched = clock() - start;
                let load = tokio::task::spawn_blocking(move || match place {
                    0 => Segmenter::load(files, &clock),
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
    Ok((Models::of(models, None)?, timings))
}

/// Fetches and verifies models one after the other, without building their networks.
///
/// # Errors
/// As [`load_models`].
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
    // The network's file name is fixed in S3, so that all three can be fetched side by side.
    let ((spec, _), (onnx, digest), (card, _)) = tokio::try_join!(
        read_object(client, bucket, &spec_key, name),
        read_object(client, bucket, &onnx_key, name),
        read_object(client, bucket, &card_key, name),
    )?;
    let card = String::from_utf8_lossy(&card).into_owned();
    Ok(ModelFiles::digested(ModelSpec::from_json(name, &spec)?, onnx, &digest, card)?)
}

/// An object and its SHA-256, which is taken piece by piece while the next one travels.
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
    let mut object =
        client.get_object().bucket(bucket).key(key).send().await.map_err(|e| explain(cause(&e)))?;
    let length = object.content_length().and_then(|n| usize::try_from(n).ok()).unwrap_or(0);
    let (mut bytes, mut digest) = (Vec::with_capacity(length.min(MOST_RESERVED)), Sha256::new());
    while let Some(piece) = object.body.next().await {
        let piece = piece.map_err(|e| explain(e.to_string()))?;
        digest.update(&piece);
        bytes.extend_from_slice(&piece);
    }
    Ok((bytes, digest.finalize().into()))
}

/// Room made at once for an object; a larger one makes its own.
const MOST_RESERVED: usize = 256 << 20;

/// What S3 answered, by its own code, or why it could not be reached: the innermost cause.
pub(crate) fn cause<E: std::error::Error + ProvideErrorMetadata>(error: &E) -> String {
    if let Some(code) = error.code() {
        return code.to_owned();
    }
    let mut innermost: &dyn std::error::Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}
