//! Errors of loading and running a network.

/// An error of an engine. The variants differ by who can resolve it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The network cannot be parsed, does not match its [`IoSpec`](crate::IoSpec), or has an unsupported operator. The
    /// network must be exported again.
    #[error("{0}")]
    Network(String),
    /// A setting is invalid or not available on this machine. The settings of the program must change.
    #[error("{0}")]
    Settings(String),
    /// The network failed while it ran: a fault of the program, not of the input.
    #[error("The network cannot be run: {0}")]
    Run(String),
    /// The queue of slices is full. The same call succeeds later.
    #[error("The queue of the engine is full.")]
    Busy,
}

/// Result with this crate's [`Error`].
pub type Result<T> = std::result::Result<T, Error>;
