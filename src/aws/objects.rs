//! Objects in a bucket of S3.

use super::client::error_cause;
use crate::error::{Error, Result};
use crate::object_store::{Link, Objects, Pending};
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
    /// The bucket, read and written through `client`.
    pub fn new(client: Client, bucket: impl Into<String>) -> Self {
        Self { client, bucket: bucket.into() }
    }
}

impl Objects for S3Objects {
    fn get<'a>(&'a self, key: &'a str) -> Pending<'a, Option<Vec<u8>>> {
        Box::pin(async move {
            let answer = self.client.get_object().bucket(&self.bucket).key(key).send().await;
            let Some(object) = absent_is_none(answer)? else { return Ok(None) };
            let body = object.body.collect().await;
            body.map(|bytes| Some(bytes.to_vec())).map_err(|e| Error::Unavailable(e.to_string()))
        })
    }

    fn put<'a>(&'a self, key: &'a str, content_type: &'a str, bytes: Vec<u8>) -> Pending<'a, ()> {
        Box::pin(async move {
            let put = self.client.put_object().bucket(&self.bucket).key(key);
            let put = put.content_type(content_type).body(ByteStream::from(bytes));
            put.send().await.map(drop).map_err(|e| unavailable(&e))
        })
    }

    fn exists<'a>(&'a self, key: &'a str) -> Pending<'a, bool> {
        Box::pin(async move {
            let answer = self.client.head_object().bucket(&self.bucket).key(key).send().await;
            absent_is_none(answer).map(|head| head.is_some())
        })
    }

    fn list<'a>(&'a self, prefix: &'a str) -> Pending<'a, Vec<String>> {
        Box::pin(async move {
            let pages = self.client.list_objects_v2().bucket(&self.bucket).prefix(prefix);
            let mut pages = pages.into_paginator().send();
            let mut names = Vec::new();
            while let Some(page) = pages.next().await {
                let page = page.map_err(|e| unavailable(&e))?;
                let keys = page.contents().iter().filter_map(|object| object.key());
                names.extend(keys.filter_map(|key| Some(key.strip_prefix(prefix)?.to_owned())));
            }
            Ok(names)
        })
    }

    /// One request per object, ten at the same time. A job of 512 slices has about a thousand objects, and
    /// some servers demand a checksum header for the batch request that the SDK does not send.
    fn delete<'a>(&'a self, keys: &'a [String]) -> Pending<'a, ()> {
        Box::pin(async move {
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
        })
    }

    fn read_link<'a>(&'a self, key: &'a str, valid: Duration) -> Pending<'a, Option<Link>> {
        Box::pin(async move {
            let get = self.client.get_object().bucket(&self.bucket).key(key);
            let request = get.presigned(lifetime(valid)?).await;
            request.map(|request| Some(link(request))).map_err(|e| unavailable(&e))
        })
    }

    /// Type and length are among the signed headers, so that S3 refuses any other upload.
    fn write_link<'a>(
        &'a self,
        key: &'a str,
        content_type: &'a str,
        size_bytes: u64,
        valid: Duration,
    ) -> Pending<'a, Option<Link>> {
        Box::pin(async move {
            let size = i64::try_from(size_bytes).map_err(|e| Error::Unavailable(e.to_string()))?;
            let put = self.client.put_object().bucket(&self.bucket).key(key);
            let put = put.content_type(content_type).content_length(size);
            let request = put.presigned(lifetime(valid)?).await;
            request.map(|request| Some(link(request))).map_err(|e| unavailable(&e))
        })
    }
}

fn lifetime(valid: Duration) -> Result<PresigningConfig> {
    PresigningConfig::expires_in(valid).map_err(|e| Error::Unavailable(e.to_string()))
}

fn link(request: PresignedRequest) -> Link {
    // HTTP clients set these two themselves, and browsers do not let a page set them.
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
    Error::Unavailable(error_cause(error))
}
