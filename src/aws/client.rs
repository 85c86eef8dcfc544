//! The client of S3, and the causes of its errors.

use aws_config::timeout::TimeoutConfig;
use aws_sdk_s3::Client;
use aws_sdk_s3::error::ProvideErrorMetadata;
use std::error::Error as StdError;
use std::time::Duration;

/// An S3 client with the credentials and region of the environment. Its timeouts are short: a cold start
/// that cannot reach its bucket should fail while the caller still waits.
///
/// `endpoint` is the address of another S3 server; the bucket is then part of the path.
pub async fn s3_client(endpoint: Option<&str>) -> Client {
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

/// The error code that S3 answered with, or the innermost cause where there was no answer.
pub(super) fn error_cause<E: StdError + ProvideErrorMetadata>(error: &E) -> String {
    if let Some(code) = error.code() {
        return code.to_owned();
    }
    let mut innermost: &dyn StdError = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}
