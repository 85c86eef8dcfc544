//! Objects by key, in a bucket or below a folder: what uploads and jobs are kept in.
//!
//! Keys are paths of ASCII letters, digits, `-`, `.` and `/` that the program itself makes; nothing of what a
//! client names ever becomes part of one.

mod dir;
// Without AWS the variant exists and cannot be made, so that nothing else needs to know the feature.
#[cfg_attr(not(feature = "lambda"), path = "object_store/no_s3.rs")]
mod s3;

pub use dir::{DirObjects, Incoming};
pub use s3::S3Objects;

use crate::error::Result;
use std::time::Duration;

/// Where objects are kept.
#[derive(Debug, Clone)]
pub enum ObjectStore {
    /// Below a folder of this machine.
    Dir(DirObjects),
    /// In a bucket.
    S3(S3Objects),
}

/// An address that needs no further credentials, and the headers to send with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Absolute address.
    pub url: String,
    /// Names and values of the headers that the signature binds and clients do not set themselves.
    pub headers: Vec<(String, String)>,
}

impl ObjectStore {
    /// The object, `None` where there is none.
    ///
    /// # Errors
    /// [`crate::error::Error::Unavailable`], as every method here.
    pub async fn get(&self, key: &str) -> Result<Option<Vec<u8>>> {
        match self {
            Self::Dir(dir) => dir.get(key).await,
            Self::S3(s3) => s3.get(key).await,
        }
    }

    /// Writes an object whole: readers see the old one or the new one.
    ///
    /// # Errors
    /// As [`ObjectStore::get`].
    pub async fn put(&self, key: &str, content_type: &str, bytes: Vec<u8>) -> Result<()> {
        match self {
            Self::Dir(dir) => dir.put(key, &bytes).await,
            Self::S3(s3) => s3.put(key, content_type, bytes).await,
        }
    }

    /// Whether there is an object of that key.
    ///
    /// # Errors
    /// As [`ObjectStore::get`].
    pub async fn exists(&self, key: &str) -> Result<bool> {
        match self {
            Self::Dir(dir) => dir.exists(key).await,
            Self::S3(s3) => s3.exists(key).await,
        }
    }

    /// Names below `prefix`, which ends in `/`, without it.
    ///
    /// # Errors
    /// As [`ObjectStore::get`].
    pub async fn list(&self, prefix: &str) -> Result<Vec<String>> {
        match self {
            Self::Dir(dir) => dir.list(prefix).await,
            Self::S3(s3) => s3.list(prefix).await,
        }
    }

    /// Deletes objects; those that are gone already are no error.
    ///
    /// # Errors
    /// As [`ObjectStore::get`].
    pub async fn delete(&self, keys: &[String]) -> Result<()> {
        match self {
            Self::Dir(dir) => dir.delete(keys).await,
            Self::S3(s3) => s3.delete(keys).await,
        }
    }

    /// A link to read the object with; `None` where the service itself hands it out.
    ///
    /// # Errors
    /// As [`ObjectStore::get`].
    pub async fn read_link(&self, key: &str, valid: Duration) -> Result<Option<Link>> {
        match self {
            Self::Dir(_) => Ok(None),
            Self::S3(s3) => s3.read_link(key, valid).await.map(Some),
        }
    }

    /// A link to write one object of exactly this type and size with; `None` where the service takes it.
    ///
    /// # Errors
    /// As [`ObjectStore::get`].
    pub async fn write_link(
        &self,
        key: &str,
        content_type: &str,
        size_bytes: u64,
        valid: Duration,
    ) -> Result<Option<Link>> {
        match self {
            Self::Dir(_) => Ok(None),
            Self::S3(s3) => s3.write_link(key, content_type, size_bytes, valid).await.map(Some),
        }
    }
}
