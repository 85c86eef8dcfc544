//! Objects in a bucket.

use super::Link;
use crate::error::{Error, Result};
use crate::s3::cause;
use aws_sdk_s3::Client;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::presigning::{PresignedRequest, PresigningConfig};
use aws_sdk_s3::primitives::ByteStream;
use std::time::Duration;

/// Objects in one bucket.
#[derive(Debug, Clone)]
pub struct S3Objects {
    client: Client,
    bucket: String,
}

impl S3Objects {
    /// The bucket, as `client` reaches it.
    pub fn new(client: Client, bucket: impl Into<String>) -> Self {
        Self { client, bucket: bucket.into() }
    }

    pub(super) async fn get(&self, key: &str) -> Result<Option<Vec<u8>>> {
        let answer = self.client.get_object().bucket(&self.bucket).key(key).send().await;
        let Some(object) = absent_is_none(answer)? else { return Ok(None) };
        let body = object.body.collect().await;
        body.map(|bytes| Some(bytes.to_vec())).map_err(|e| Error::Unavailable(e.to_string()))
    }

    pub(super) async fn put(&self, key: &str, content_type: &str, bytes: Vec<u8>) -> Result<()> {
        let put = self.client.put_object().bucket(&self.bucket).key(key);
        let put = put.content_type(content_type).body(ByteStream::from(bytes));
        put.send().await.map(drop).map_err(|e| unavailable(&e))
    }

    pub(super) async fn exists(&self, key: &str) -> Result<bool> {
        let answer = self.client.head_object().bucket(&self.bucket).key(key).send().await;
        absent_is_none(answer).map(|head| head.is_some())
    }

    pub(super) async fn list(&self, prefix: &str) -> Result<Vec<String>> {
        let pages = self.client.list_objects_v2().bucket(&self.bucket).prefix(prefix);
        let mut pages = pages.into_paginator().send();
        let mut names = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|e| unavailable(&e))?;
            let keys = page.contents().iter().filter_map(|object| object.key());
            names.extend(keys.filter_map(|key| Some(key.strip_prefix(prefix)?.to_owned())));
        }
        Ok(names)
    }

    /// One request an object, ten at a time: a job of 512 slices has about a thousand, and the
    /// batch request would need its own checksum header on servers that ask for it.
    pub(super) async fn delete(&self, keys: &[String]) -> Result<()> {
        for batch in keys.chunks(10) {
            let deletions: Vec<_> = batch
                .iter()
                .map(|key| {
                    let delete = self.client.delete_object().bucket(&self.bucket).key(key);
                    tokio::spawn(delete.send())
                })
                .collect();
            for deletion in deletions {
                let answer = deletion.await.map_err(|e| Error::Unavailable(e.to_string()))?;
                absent_is_none(answer)?;
            }
        }
        Ok(())
    }

    pub(super) async fn read_link(&self, key: &str, valid: Duration) -> Result<Link> {
        let get = self.client.get_object().bucket(&self.bucket).key(key);
        get.presigned(lifetime(valid)?).await.map(link).map_err(|e| unavailable(&e))
    }

    /// Type and length are among the signed headers: S3 refuses anything else.
    pub(super) async fn write_link(
        &self,
        key: &str,
        content_type: &str,
        size_bytes: u64,
        valid: Duration,
    ) -> Result<Link> {
        let size = i64::try_from(size_bytes).map_err(|e| Error::Unavailable(e.to_string()))?;
        let put = self.client.put_object().bucket(&self.bucket).key(key);
        let put = put.content_type(content_type).content_length(size);
        put.presigned(lifetime(valid)?).await.map(link).map_err(|e| unavailable(&e))
    }
}

fn lifetime(valid: Duration) -> Result<PresigningConfig> {
    PresigningConfig::expires_in(valid).map_err(|e| Error::Unavailable(e.to_string()))
}

fn link(request: PresignedRequest) -> Link {
    // Every client sets these two by itself, and pages must not try to.
    let own = |name: &str| matches!(name, "content-length" | "host");
    let headers = request.headers().map(|(name, value)| (name.to_ascii_lowercase(), value));
    Link {
        headers: headers
            .filter(|(name, _)| !own(name))
            .map(|(name, value)| (name, value.to_owned()))
            .collect(),
        url: request.uri().to_owned(),
    }
}

fn absent_is_none<T, E>(answer: std::result::Result<T, SdkError<E>>) -> Result<Option<T>>
where
    E: std::error::Error + ProvideErrorMetadata + 'static,
{
    match answer {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.raw_response().is_some_and(|r| r.status().as_u16() == 404) => Ok(None),
        Err(error) => Err(unavailable(&error)),
    }
}

fn unavailable<E>(error: &SdkError<E>) -> Error
where
    E: std::error::Error + ProvideErrorMetadata + 'static,
{
    Error::Unavailable(cause(error))
}
