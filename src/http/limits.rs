//! What each of the services accepts.

use super::Rate;
use crate::decode::Limits;
use std::time::Duration;

/// Limits of one service instance.
#[derive(Debug, Clone, Copy)]
pub struct ServiceLimits {
    /// Limits of a slice and of a series.
    pub slice: Limits,
    /// Maximum size of a request body, bytes.
    pub max_body_bytes: usize,
    /// Maximum size of an answer in the form in which it is transferred, bytes, where the platform has one.
    pub max_answer_bytes: Option<usize>,
    /// Requests that are computed at the same time.
    pub running: usize,
    /// Requests that may wait; further ones get a 503 with Retry-After.
    pub waiting: usize,
    /// Time limit for a whole body, and for each piece of an upload.
    pub body_timeout: Duration,
    /// Rate limit, where the service itself enforces one.
    pub rate: Option<Rate>,
    /// Maximum lines of a JSON lines body; 0 where such bodies are not accepted.
    pub max_records: usize,
}

impl ServiceLimits {
    /// The limits of the local server.
    pub fn local() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            slice: Limits::default(),
            max_body_bytes: 64 << 20,
            max_answer_bytes: None,
            running: cores,
            waiting: 64,
            body_timeout: Duration::from_secs(30),
            rate: None,
            max_records: 0,
        }
    }

    /// The limits of a Lambda function. An event has at most 6 MB, in which a binary body is base64: this leaves
    /// 4.4 MiB. The limit of the answer is that of Lambda, 6,291,556 bytes. 40 slices are a head at the usual 4 to
    /// 5 mm, and are segmented well within the 29 s that API Gateway waits.
    pub fn lambda() -> Self {
        Self {
            slice: Limits { max_slices: 40, max_series_bytes: 64 << 20, ..Limits::default() },
            max_body_bytes: 4_613_734,
            max_answer_bytes: Some(6_291_556),
            body_timeout: Duration::from_secs(10),
            ..Self::local()
        }
    }

    /// The limits of the container, whose engine takes batches of up to `max_batch` slices. The slices of two batches
    /// are prepared at the same time, so that one batch fills while another is computed. SageMaker sends up to 1 GB
    /// in an asynchronous request; a series of 512 uncompressed slices of 512 x 512 px takes 256 MiB and headers, and
    /// a batch of JSON lines at most 100 MB.
    pub fn container(max_batch: usize, waiting: usize) -> Self {
        let local = Self::local();
        Self {
            max_body_bytes: 320 << 20,
            running: local.running.max(2 * max_batch),
            waiting,
            body_timeout: Duration::from_secs(300),
            max_records: 1024,
            ..local
        }
    }
}
