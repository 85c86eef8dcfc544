//! Errors of the application, by who can resolve them.

/// Any failure of the application.
///
/// Messages say what is wrong and what to do. They never contain a file name, a tag value or a pixel of the input.
/// The HTTP status of each kind is in one table, [`crate::problem`].
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An input cannot be read or segmented, or a result cannot be written.
    #[error(transparent)]
    Core(#[from] ichor_core::Error),
    /// A data set cannot be prepared or evaluated.
    #[error(transparent)]
    Evaluation(#[from] ichor_evaluation::Error),
    /// A parameter is out of its range.
    #[error("{0}")]
    InvalidParameter(String),
    /// The store of uploads and results failed; the same operation may succeed later.
    #[error("The store of uploads and results cannot be used: {0}")]
    Unavailable(String),
    /// Too many requests are waiting; the same request may succeed later.
    #[error("All workers are busy. Send the request again after the time in Retry-After.")]
    Busy,
    /// A failure of the program, not of the input.
    #[error("The program failed: {0}")]
    Internal(String),
}

impl Error {
    /// Wraps an I/O error with a message that says what failed.
    pub fn io(context: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let wrap = ichor_image::Error::io(context);
        move |source| wrap(source).into()
    }

    /// An input or a series that cannot be used as requested, with the reason.
    pub fn unprocessable(reason: impl Into<String>) -> Self {
        ichor_core::Error::unprocessable(reason).into()
    }
}

impl From<ichor_image::Error> for Error {
    fn from(error: ichor_image::Error) -> Self {
        Self::Core(error.into())
    }
}

impl From<ichor_engine::Error> for Error {
    fn from(error: ichor_engine::Error) -> Self {
        match error {
            ichor_engine::Error::Settings(reason) => Self::InvalidParameter(reason),
            ichor_engine::Error::Busy => Self::Busy,
            ichor_engine::Error::Network(reason) | ichor_engine::Error::Run(reason) => {
                Self::Internal(reason)
            }
        }
    }
}

/// Result with this crate's [`Error`].
pub type Result<T> = std::result::Result<T, Error>;
