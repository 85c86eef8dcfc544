//! Errors of data sets.

/// An error. The variants differ in what must be corrected: a slice or file, the data set, or a parameter.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A slice cannot be read or segmented, or a file cannot be read or written.
    #[error(transparent)]
    Core(#[from] ichor_core::Error),
    /// A data set on disk does not have the expected layout.
    #[error("{0}")]
    Dataset(String),
    /// A parameter is out of its range.
    #[error("{0}")]
    InvalidParameter(String),
}

impl Error {
    /// Converts an I/O error; `context` states what failed and what to do.
    pub fn io(context: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let wrap = ichor_image::Error::io(context);
        move |source| wrap(source).into()
    }
}

impl From<ichor_image::Error> for Error {
    fn from(error: ichor_image::Error) -> Self {
        Self::Core(error.into())
    }
}

/// Result with this crate's [`Error`].
pub type Result<T> = std::result::Result<T, Error>;
