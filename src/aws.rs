//! Amazon Web Services: models and objects in S3, and the runtime of Lambda functions.
//!
//! No other module names the AWS SDK. Errors of the SDK become [`crate::error::Error`] here.

mod client;
mod functions;
mod models;
mod objects;

pub use client::s3_client;
pub use functions::{run_api, run_worker};
pub use models::{Startup, fetch_models, start};
pub use objects::S3Objects;
