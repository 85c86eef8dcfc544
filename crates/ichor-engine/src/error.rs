//! What can go wrong between the bytes of a network and its logits.

/// An error of an engine, by who must act.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The network cannot be read, does not fit its [`IoSpec`](crate::IoSpec), or has an operator that is not known:
    /// for whoever exported it.
    #[error("{0}")]
    Network(String),
    /// A setting is wrong or cannot be met on this machine: for whoever started the program.
    #[error("{0}")]
    Settings(String),
    /// The network failed to run: a fault of the program, not of the input.
    #[error("The network cannot be run: {0}")]
    Run(String),
    /// The queue of slices is full; the same call succeeds later.
    #[error("The queue of the engine is full.")]
    Busy,
}

/// Result with this crate's [`Error`].
pub type Result<T> = std::result::Result<T, Error>;
