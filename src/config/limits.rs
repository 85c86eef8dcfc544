//! What each of the programs accepts.

use crate::decode::Limits;
use crate::http::ServiceLimits;
use crate::jobs::JobLimits;
use std::time::Duration;

/// What the local server accepts.
pub fn local_limits() -> ServiceLimits {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    ServiceLimits {
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

/// Uploads and jobs, everywhere. An upload of 512 uncompressed slices of 512 px a side takes
/// 256 MiB and headers. An inline result, escaped, and a link for each of 512 slices fit Lambda's
/// answer together.
pub fn job_limits() -> JobLimits {
    JobLimits {
        max_upload_bytes: 320 << 20,
        max_inline_bytes: 1 << 20,
        lifetime_s: 86_400,
        link_s: 900,
    }
}

/// Jobs that the local server keeps at a time.
pub const MOST_LOCAL_JOBS: usize = 64;

/// What one Lambda instance accepts. An event holds 6 MB, in which a binary body is base64:
/// 4.4 MiB of it fit. The answer's limit is Lambda's own, 6,291,556 bytes. 40 slices are a head at
/// the usual 4 to 5 mm, and are done well within the 29 s that API Gateway waits.
pub fn lambda_limits() -> ServiceLimits {
    ServiceLimits {
        slice: Limits { max_slices: 40, max_series_bytes: 64 << 20, ..Limits::default() },
        max_body_bytes: 4_613_734,
        max_answer_bytes: Some(6_291_556),
        body_timeout: Duration::from_secs(10),
        ..local_limits()
    }
}

/// What the worker accepts of a series: everything; it has the memory and the time.
pub fn worker_limits() -> Limits {
    Limits::default()
}
