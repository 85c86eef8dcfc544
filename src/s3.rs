//! Models from S3.

use crate::config::LambdaConfig;
use crate::error::{Error, Result};
use crate::model_spec::ModelSpec;
use crate::storage::ModelFiles;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_s3::Client;
use aws_sdk_s3::error::ProvideErrorMetadata;
use std::time::Duration;

/// A client with the credentials and region of the environment. Its timeouts are short: a
/// cold start that cannot reach its bucket should fail while somebody is still waiting.
pub async fn client(config: &LambdaConfig) -> Client {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(1))
        .operation_attempt_timeout(Duration::from_secs(3))
        .operation_timeout(Duration::from_secs(4))
        .build();
    let mut loader = aws_config::from_env().timeout_config(timeouts);
    if let Some(endpoint) = &config.endpoint {
        loader = loader.endpoint_url(endpoint);
    }
    let shared = loader.load().await;
    let s3 = aws_sdk_s3::config::Builder::from(&shared).force_path_style(config.endpoint.is_some());
    Client::from_conf(s3.build())
}

/// Fetches and verifies the models of `config`, all at once.
///
/// # Errors
/// [`Error::Model`] naming the model, the key and what S3 said.
pub async fn read_models(client: &Client, config: &LambdaConfig) -> Result<Vec<ModelFiles>> {
    let fetches: Vec<_> = config
        .models
        .iter()
        .map(|name| {
            let (client, bucket) = (client.clone(), config.bucket.clone());
            let (prefix, name) = (format!("{}{name}/", config.prefix), name.clone());
            tokio::spawn(async move { read_model(&client, &bucket, &prefix, &name).await })
        })
        .collect();
    let mut models = Vec::with_capacity(fetches.len());
    for fetch in fetches {
        models.push(fetch.await.map_err(|e| Error::Inference(e.to_string()))??);
    }
    Ok(models)
}

async fn read_model(client: &Client, bucket: &str, prefix: &str, name: &str) -> Result<ModelFiles> {
    let key = |file: &str| format!("{prefix}{file}");
    let (card_key, spec_key, onnx_key) =
        (key("MODEL_CARD.md"), key("model.json"), key("model.onnx"));
    // The network's file name is fixed in S3, so that all three can be fetched side by side.
    let (spec, onnx, card) = tokio::try_join!(
        read_object(client, bucket, &spec_key, name),
        read_object(client, bucket, &onnx_key, name),
        read_object(client, bucket, &card_key, name),
    )?;
    let card = String::from_utf8_lossy(&card).into_owned();
    ModelFiles::verified(ModelSpec::from_json(name, &spec)?, onnx, card)
}

async fn read_object(client: &Client, bucket: &str, key: &str, model: &str) -> Result<Vec<u8>> {
    let fail = |reason: String| Error::Model { model: model.into(), reason };
    let explain = |cause: String| {
        fail(format!(
            "s3://{bucket}/{key} cannot be read ({cause}). Check ICHOR_BUCKET, ICHOR_PREFIX, \
             ICHOR_MODELS and the function's permission to read that prefix"
        ))
    };
    let object =
        client.get_object().bucket(bucket).key(key).send().await.map_err(|e| explain(cause(&e)))?;
    let body = object.body.collect().await.map_err(|e| explain(e.to_string()))?;
    Ok(body.to_vec())
}

/// What S3 answered, by its own code, or why it could not be reached: the innermost cause.
fn cause<E: std::error::Error + ProvideErrorMetadata>(error: &E) -> String {
    if let Some(code) = error.code() {
        return code.to_owned();
    }
    let mut innermost: &dyn std::error::Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}
