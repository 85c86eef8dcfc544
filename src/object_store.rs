//! Objects by key, in a bucket or below a folder: the store of uploads and jobs.
//!
//! Keys are paths of ASCII letters, digits, `-`, `.` and `/` that the program itself makes. No name that a client
//! gives becomes part of a key.

mod dir;

pub use dir::{DirObjects, Incoming};

use crate::error::Result;
use std::fmt::Debug;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

/// The result of an operation on a store, once it is done.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = Result<T>> + Send + 'a>>;

/// A place that holds objects: a folder, or a bucket.
///
/// Every method fails with [`crate::error::Error::Unavailable`] where the place cannot be read or written.
pub trait Objects: Debug + Send + Sync {
    /// As [`ObjectStore::get`].
    fn get<'a>(&'a self, key: &'a str) -> Pending<'a, Option<Vec<u8>>>;

    /// As [`ObjectStore::put`].
    fn put<'a>(&'a self, key: &'a str, content_type: &'a str, bytes: Vec<u8>) -> Pending<'a, ()>;

    /// As [`ObjectStore::exists`].
    fn exists<'a>(&'a self, key: &'a str) -> Pending<'a, bool>;

    /// As [`ObjectStore::list`].
    fn list<'a>(&'a self, prefix: &'a str) -> Pending<'a, Vec<String>>;

    /// As [`ObjectStore::delete`].
    fn delete<'a>(&'a self, keys: &'a [String]) -> Pending<'a, ()>;

    /// As [`ObjectStore::read_link`]; no link without an own implementation.
    fn read_link<'a>(&'a self, _key: &'a str, _valid: Duration) -> Pending<'a, Option<Link>> {
        Box::pin(async { Ok(None) })
    }

    /// As [`ObjectStore::write_link`]; no link without an own implementation.
    fn write_link<'a>(
        &'a self,
        _key: &'a str,
        _content_type: &'a str,
        _size_bytes: u64,
        _valid: Duration,
    ) -> Pending<'a, Option<Link>> {
        Box::pin(async { Ok(None) })
    }
}

/// A handle to a place that holds objects; copies share the place.
#[derive(Debug, Clone)]
pub struct ObjectStore(Arc<dyn Objects>);

/// An address that needs no further credentials, and the headers to send with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Absolute address.
    pub url: String,
    /// Names and values of the headers that the signature binds and clients do not set themselves.
    pub headers: Vec<(String, String)>,
}

impl ObjectStore {
    /// A store of the objects in `place`.
    pub fn new(place: impl Objects + 'static) -> Self {
        Self(Arc::new(place))
    }

    /// The object, `None` where there is none.
    ///
    /// # Errors
    /// [`crate::error::Error::Unavailable`], as every method here.
    pub async fn get(&self, key: &str) -> Result<Option<Vec<u8>>> {
        self.0.get(key).await
    }

    /// Writes an object as a whole: readers see the old one or the new one.
    ///
    /// # Errors
    /// As [`ObjectStore::get`].
    pub async fn put(&self, key: &str, content_type: &str, bytes: Vec<u8>) -> Result<()> {
        self.0.put(key, content_type, bytes).await
    }

    /// Whether there is an object with this key.
    ///
    /// # Errors
    /// As [`ObjectStore::get`].
    pub async fn exists(&self, key: &str) -> Result<bool> {
        self.0.exists(key).await
    }

    /// Names below `prefix`, which ends in `/`, without it.
    ///
    /// # Errors
    /// As [`ObjectStore::get`].
    pub async fn list(&self, prefix: &str) -> Result<Vec<String>> {
        self.0.list(prefix).await
    }

    /// Deletes objects; an object that does not exist is no error.
    ///
    /// # Errors
    /// As [`ObjectStore::get`].
    pub async fn delete(&self, keys: &[String]) -> Result<()> {
        self.0.delete(keys).await
    }

    /// A link that reads the object; `None` where the service itself returns objects.
    ///
    /// # Errors
    /// As [`ObjectStore::get`].
    pub async fn read_link(&self, key: &str, valid: Duration) -> Result<Option<Link>> {
        self.0.read_link(key, valid).await
    }

    /// A link that writes one object of exactly this type and size; `None` where the service itself receives
    /// uploads.
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
        self.0.write_link(key, content_type, size_bytes, valid).await
    }
}
