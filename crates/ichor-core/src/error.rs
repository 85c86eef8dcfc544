//! Errors between slices and findings.

/// An error. The variants differ in who must act: the caller, the operator, or the authors of the program.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The input cannot be read or used as a CT slice of a head; or a file cannot be read or written.
    #[error(transparent)]
    Image(#[from] ichor_image::Error),
    /// A parameter is out of its range.
    #[error("{0}")]
    InvalidParameter(String),
    /// No model of that name is loaded.
    #[error("No model of that name is loaded. Loaded models: {0}.")]
    ModelNotFound(String),
    /// The files of a model are missing, damaged or contradict each other.
    #[error("Model '{model}': {reason}")]
    Model {
        /// Folder or key name of the model.
        model: String,
        /// What is wrong, and what to do.
        reason: String,
    },
    /// The queue of the engine is full. The same call succeeds later.
    #[error("All workers are busy. Send the request again after the time in Retry-After.")]
    Busy,
    /// The network failed to run: a fault of the program or its libraries, not of the input.
    #[error("The network could not be run: {0}")]
    Inference(String),
    /// The caller ended the work ([`crate::segmenter::Interrupted`]).
    #[error("The work was ended before it was done.")]
    Interrupted,
    /// A result could not be assembled or encoded: a fault of the program, not of the input.
    #[error("The result could not be written: {0}")]
    Internal(String),
}

impl Error {
    /// Converts an I/O error; `context` states what failed and what to do.
    pub fn io(context: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let wrap = ichor_image::Error::io(context);
        move |source| wrap(source).into()
    }

    /// The error for an input or a series that cannot be used as requested, for this reason.
    pub fn unprocessable(reason: impl Into<String>) -> Self {
        Self::Image(ichor_image::Error::Unprocessable(reason.into()))
    }

    /// Whether an input or a series cannot be used as requested, though it may be usable with other options.
    pub fn is_unprocessable(&self) -> bool {
        matches!(self, Self::Image(ichor_image::Error::Unprocessable(_)))
    }

    /// Identifier of the kind of error in problems of the API; `internal` for faults that the sender of an input
    /// cannot mend.
    pub fn code(&self) -> &'static str {
        use ichor_image::Error as Image;
        match self {
            Self::InvalidParameter(_) | Self::Image(Image::InvalidParameter(_)) => {
                "invalid_parameter"
            }
            Self::ModelNotFound(_) => "model_not_found",
            Self::Image(Image::EmptyInput) => "empty_body",
            Self::Image(Image::Undecodable(_)) => "undecodable_image",
            Self::Image(Image::TooLarge { .. }) => "image_too_large",
            Self::Image(Image::UnsupportedType(_)) => "unsupported_media_type",
            Self::Image(Image::Unprocessable(_)) => "unprocessable_image",
            Self::Busy => "overloaded",
            Self::Image(Image::Io { .. })
            | Self::Model { .. }
            | Self::Inference(_)
            | Self::Interrupted
            | Self::Internal(_) => "internal",
        }
    }

    /// Converts an error of the engine; `model` names the model that it ran.
    pub fn from_engine(model: &str) -> impl FnOnce(ichor_engine::Error) -> Self {
        move |error| match error {
            ichor_engine::Error::Network(reason) => Self::Model { model: model.to_owned(), reason },
            ichor_engine::Error::Settings(reason) => Self::InvalidParameter(reason),
            ichor_engine::Error::Run(reason) => Self::Inference(reason),
            ichor_engine::Error::Busy => Self::Busy,
        }
    }
}

/// Result with this crate's [`Error`].
pub type Result<T> = std::result::Result<T, Error>;
