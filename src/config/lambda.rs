//! The environment of the Lambda functions.

use crate::error::{Error, Result};
use clap::Parser;
use clap::error::ErrorKind;

/// The buckets of a function and the names of its models.
#[derive(Debug, Parser)]
#[command(
    name = "lambda",
    about = "Ichor as an AWS Lambda function; started by the Lambda runtime."
)]
pub struct LambdaConfig {
    /// Bucket of the models.
    #[arg(long, env = "ICHOR_BUCKET")]
    pub bucket: String,
    /// Key prefix of the models.
    #[arg(long, env = "ICHOR_PREFIX", default_value = "models/")]
    pub prefix: String,
    /// Names of the models, separated by commas; the first is the default.
    #[arg(long, env = "ICHOR_MODELS", default_value = "deeplabv3,unet", value_delimiter = ',')]
    pub models: Vec<String>,
    /// Bucket of uploads, jobs and results; without it the service accepts no uploads.
    #[arg(long, env = "ICHOR_JOBS_BUCKET")]
    pub jobs_bucket: Option<String>,
    /// Name of the function, in metrics.
    #[arg(long, env = "AWS_LAMBDA_FUNCTION_NAME", default_value = "local")]
    pub function: String,
    /// Endpoint of another S3 server; the bucket is part of the path.
    #[arg(long, env = "AWS_ENDPOINT_URL_S3")]
    pub endpoint: Option<String>,
}

impl LambdaConfig {
    /// Reads the environment. An error is one line, for the log of the function, and not a usage page.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] with the name of a missing variable.
    pub fn read() -> Result<Self> {
        Self::try_parse().map_err(|error| match error.kind() {
            ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => error.exit(),
            ErrorKind::MissingRequiredArgument => Error::InvalidParameter(
                "ICHOR_BUCKET is not set. Give the name of the bucket that holds the models".into(),
            ),
            _ => Error::InvalidParameter(
                "The environment cannot be read. Set ICHOR_BUCKET, ICHOR_PREFIX and ICHOR_MODELS to texts in UTF-8".into(),
            ),
        })
    }
}
