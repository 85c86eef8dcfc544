//! What can go wrong between bytes and slices.

/// An error of reading, by who must act. Messages never carry a file name, a tag value or a pixel of the input.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The input is empty.
    #[error("The input is empty. Send the bytes of one image.")]
    EmptyInput,
    /// The bytes are of a type that is not read here.
    #[error("{0}")]
    UnsupportedType(String),
    /// The bytes claim to be an image but cannot be decoded.
    #[error(
        "The image cannot be decoded: {0}. Export it again, for instance as PNG or as uncompressed DICOM."
    )]
    Undecodable(String),
    /// The image was read but cannot be a head CT slice, for instance one pixel wide.
    #[error("{0}")]
    Unprocessable(String),
    /// A limit was exceeded; checked before the memory is taken.
    #[error("{what} is above the limit of {limit}. {remedy}")]
    TooLarge {
        /// What was measured, with its unit.
        what: &'static str,
        /// The limit in force.
        limit: u64,
        /// The way round the limit.
        remedy: &'static str,
    },
    /// A parameter is out of its range.
    #[error("{0}")]
    InvalidParameter(String),
    /// Reading or writing failed.
    #[error("{context}: {source}")]
    Io {
        /// What was being done.
        context: String,
        /// The operating system's error.
        source: std::io::Error,
    },
}

impl Error {
    /// Wraps an I/O error with what was being done.
    pub fn io(context: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let context = context.into();
        move |source| Self::Io { context, source }
    }
}

/// Result with this crate's [`Error`].
pub type Result<T> = std::result::Result<T, Error>;
