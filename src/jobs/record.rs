//! What was ordered.

use crate::report::Include;
use crate::segmenter::SegmentOptions;
use serde::{Deserialize, Serialize};

/// What a client wants done with which upload.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Order {
    /// Media type of the upload.
    pub content_type: String,
    /// Size of the upload, bytes.
    pub size_bytes: u64,
    /// Name of the model.
    pub model: String,
    /// Threshold and window.
    pub options: SegmentOptions,
    /// Pictures of the slices.
    pub include: Include,
}

/// A job as it is written down.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Record {
    /// What was ordered.
    pub order: Order,
    /// When, s since 1970.
    pub created_at: u64,
    /// When all of it is gone, s since 1970.
    pub expires_at: u64,
}

/// How far the work is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Progress {
    /// How often work began; more than once after a worker died.
    pub(super) attempts: u32,
    /// Slices of the upload; unknown until it is decoded.
    pub(super) total: Option<usize>,
}
