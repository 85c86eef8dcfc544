//! Error kinds of the application, named by who must act.

/// Everything that can go wrong between bytes and an answer.
///
/// Messages say what was wrong and what to do; they never carry a file name, a tag value
/// or a pixel of the input. The HTTP status of each kind is decided in one table, `problem`.
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
    /// The store of uploads and results failed; trying again may help.
    #[error("The store of uploads and results cannot be used: {0}")]
    Unavailable(String),
    /// More was asked for than can wait its turn; trying again helps.
    #[error("All workers are busy. Send the request again after the time in Retry-After.")]
    Busy,
    /// A fault of the program, not of the input.
    #[error("The program failed: {0}")]
    Internal(String),
}

impl Error {
    /// Wraps an I/O error with what was being done.
    pub fn io(context: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let wrap = ichor_image::Error::io(context);
        move |source| wrap(source).into()
    }

    /// An input or a series that cannot be used as asked, and why.
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
