//! Errors of reading images.

/// An error of reading an image. Messages never contain a file name, a tag value or a pixel of the input.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The input is empty.
    #[error("The input is empty. Send the bytes of one image.")]
    EmptyInput,
    /// The format, or a feature of it, is not supported.
    #[error("{0}")]
    UnsupportedType(String),
    /// The format is supported but the bytes cannot be decoded: they are damaged or truncated.
    #[error(
        "The image cannot be decoded: {0}. Export it again, for instance as PNG or as uncompressed DICOM."
    )]
    Undecodable(String),
    /// The image was decoded but cannot be a head CT slice, for instance because it is one pixel wide.
    #[error("{0}")]
    Unprocessable(String),
    /// A limit is exceeded. Limits are checked before memory is allocated.
    #[error("{what} is above the limit of {limit}. {remedy}")]
    TooLarge {
        /// What was measured, with its unit.
        what: &'static str,
        /// The limit in force.
        limit: u64,
        /// What the user can do.
        remedy: &'static str,
    },
    /// A parameter is outside of its range.
    #[error("{0}")]
    InvalidParameter(String),
    /// Reading or writing failed.
    #[error("{context}: {source}")]
    Io {
        /// The operation that failed.
        context: String,
        /// The operating system's error.
        source: std::io::Error,
    },
}

impl Error {
    /// Returns a function that wraps an I/O error with `context`, the operation that failed.
    pub fn io(context: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let context = context.into();
        move |source| Self::Io { context, source }
    }
}

/// Result with this crate's [`Error`].
pub type Result<T> = std::result::Result<T, Error>;
