//! The order of a job, and how far its work is.

use crate::report::Include;
use crate::segmenter::SegmentRequest;
use serde::{Deserialize, Serialize};

/// An upload, and how to segment it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Order {
    /// Media type of the upload.
    pub content_type: String,
    /// Size of the upload, bytes.
    pub size_bytes: u64,
    /// Name of the model.
    pub model: String,
    /// Threshold, window and what else is asked of the segmenter.
    #[serde(rename = "options")]
    pub request: SegmentRequest,
    /// Pictures of the slices.
    pub include: Include,
}

/// A job as it is stored.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Record {
    /// The order.
    pub order: Order,
    /// Time of the order, s since 1970.
    pub created_at: u64,
    /// Time at which all data of the job is deleted, s since 1970.
    pub expires_at: u64,
}

/// How far the work on a job is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Progress {
    /// How often work was started; more than once where a worker was killed.
    pub(super) attempts: u32,
    /// Slices of the upload; unknown until it is decoded.
    pub(super) total: Option<usize>,
}
