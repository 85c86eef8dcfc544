//! Error kinds, named by who must act.

/// Everything that can go wrong between bytes and a report.
///
/// Messages say what was wrong and what to do; they never carry a file name, a tag value
/// or a pixel of the input. The HTTP status of each kind is decided in one table,
/// `http::error`.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The caller sent nothing.
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
    /// No model of that name is loaded.
    #[error("No model of that name is loaded. Loaded models: {0}.")]
    ModelNotFound(String),
    /// A model's files are missing, damaged or contradict each other.
    #[error("Model '{model}': {reason}")]
    Model {
        /// Folder or key name of the model.
        model: String,
        /// What is wrong and what to do.
        reason: String,
    },
    /// A data set on disk does not have the expected layout.
    #[error("{0}")]
    Dataset(String),
    /// Reading or writing failed.
    #[error("{context}: {source}")]
    Io {
        /// What was being done.
        context: String,
        /// The operating system's answer.
        source: std::io::Error,
    },
    /// The store of uploads and results failed; trying again may help.
    #[error("The store of uploads and results cannot be used: {0}")]
    Unavailable(String),
    /// More was asked for than can wait its turn; trying again helps.
    #[error("All workers are busy. Send the request again after the time in Retry-After.")]
    Busy,
    /// The network failed to run; a fault of the program, not of the input.
    #[error("The network could not be run: {0}")]
    Inference(String),
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
