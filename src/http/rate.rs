//! The rate limit, as API Gateway enforces it in front of the Lambda function: one token bucket for all clients.

use super::Service;
use super::problem::Problem;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// A rate limit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    /// Requests per second in the long run.
    pub per_second: f64,
    /// Requests that are accepted at the same time after a pause.
    pub burst: f64,
}

/// A token bucket: time fills it at the rate, each request takes one token.
#[derive(Debug)]
pub(super) struct Bucket {
    rate: Rate,
    level: Mutex<(f64, Instant)>,
}

impl Bucket {
    pub(super) fn full(rate: Rate, now: Instant) -> Self {
        Self { rate, level: Mutex::new((rate.burst, now)) }
    }

    /// Takes a token; the error is the number of seconds until there is one.
    fn take(&self, now: Instant) -> Result<(), f64> {
        let mut level = self.level.lock().unwrap_or_else(PoisonError::into_inner);
        let gained = now.saturating_duration_since(level.1).as_secs_f64() * self.rate.per_second;
        let tokens = (level.0 + gained).min(self.rate.burst);
        let taken = tokens >= 1.0;
        *level = (if taken { tokens - 1.0 } else { tokens }, now);
        if taken { Ok(()) } else { Err((1.0 - tokens) / self.rate.per_second) }
    }
}

/// Answers 429 above the rate. Health and metrics are always answered: without an answer, a monitor would take
/// a busy service for a failed one.
pub(super) async fn limit(
    State(service): State<Arc<Service>>,
    request: Request,
    next: Next,
) -> Response {
    let path = request.uri().path();
    let counted = !path.starts_with("/v1/health/") && path != "/metrics";
    if let Some(bucket) = service.bucket.as_ref().filter(|_| counted)
        && let Err(seconds) = bucket.take(Instant::now())
    {
        let detail =
            "The rate limit is exceeded. Send the request again after the time in Retry-After.";
        let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", detail);
        return problem.after(seconds.ceil() as u64).into_response();
    }
    next.run(request).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_burst_passes_and_then_the_rate_holds() {
        let start = Instant::now();
        let bucket = Bucket::full(Rate { per_second: 2.0, burst: 3.0 }, start);
        assert!((0..3).all(|_| bucket.take(start).is_ok()));
        let wait = bucket.take(start).unwrap_err();
        assert!((wait - 0.5).abs() < 1e-9, "{wait}");
        let later = start + Duration::from_millis(600);
        assert!(bucket.take(later).is_ok());
        assert!(bucket.take(later).is_err());
        // A long pause does not fill it above the burst.
        let much_later = later + Duration::from_secs(60);
        assert_eq!((0..9).filter(|_| bucket.take(much_later).is_ok()).count(), 3);
    }
}
