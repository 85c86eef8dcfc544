//! `GET /metrics`: counts and durations of this process, in the text format of Prometheus (version 0.0.4).
//!
//! Labels are routes as the router knows them, methods, status codes and names of models. Nothing of an image or a
//! client is among them, nor whether hemorrhage was found.

use super::problem::Problem;
use super::{JobBackend, Service};
use crate::telemetry::Measurements;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use prometheus_client::encoding::prometheus_text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

/// Upper bounds of the buckets of durations, s: from an answer without a network to the longest series.
const DURATION_BOUNDS: [f64; 12] =
    [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

/// A label: its name and its value.
type Label = (&'static str, String);

/// The metrics of one service.
#[derive(Debug)]
pub(super) struct Metrics {
    registry: Registry,
    requests: Family<[Label; 3], Counter>,
    durations: Family<[Label; 1], Histogram, fn() -> Histogram>,
    slices: Family<[Label; 1], Counter>,
    inference: Family<[Label; 1], Counter<f64, AtomicU64>>,
    running: Gauge,
    waiting: Gauge,
    jobs_waiting: Gauge,
}

/// One answered request.
pub(super) struct RequestFacts<'a> {
    pub(super) method: &'a str,
    pub(super) route: &'a str,
    pub(super) status: u16,
    pub(super) duration: Duration,
    pub(super) measured: Option<&'a Measurements>,
}

impl Metrics {
    pub(super) fn new() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("ichor"),
            requests: Family::default(),
            durations: Family::new_with_constructor(|| Histogram::new(DURATION_BOUNDS)),
            slices: Family::default(),
            inference: Family::default(),
            running: Gauge::default(),
            waiting: Gauge::default(),
            jobs_waiting: Gauge::default(),
        };
        let registry = &mut metrics.registry;
        let build = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "The program", build);
        registry.register("http_requests", "Requests answered", metrics.requests.clone());
        let help = "Time from the head of a request to the head of its answer";
        let durations = metrics.durations.clone();
        registry.register_with_unit("http_request_duration", help, Unit::Seconds, durations);
        let help = "Slices segmented by requests and finished jobs";
        registry.register("slices", help, metrics.slices.clone());
        let help = "Time that networks ran, summed over the slices";
        registry.register_with_unit("inference", help, Unit::Seconds, metrics.inference.clone());
        let help = "Requests whose slices are being computed";
        registry.register("requests_running", help, metrics.running.clone());
        let help = "Requests accepted and not yet computed";
        registry.register("requests_waiting", help, metrics.waiting.clone());
        let help = "Jobs whose upload is complete and whose work has not started";
        registry.register("jobs_waiting", help, metrics.jobs_waiting.clone());
        metrics
    }

    /// Counts one answered request.
    pub(super) fn observe(&self, request: &RequestFacts<'_>) {
        let route = ("route", request.route.to_owned());
        let seconds = request.duration.as_secs_f64();
        self.durations.get_or_create(std::array::from_ref(&route)).observe(seconds);
        let method = ("method", request.method.to_owned());
        let status = ("status", request.status.to_string());
        self.requests.get_or_create(&[method, route, status]).inc();
        if let Some(measurements) = request.measured {
            self.add(measurements);
        }
    }

    fn add(&self, measurements: &Measurements) {
        let model = [("model", measurements.model.clone())];
        self.slices.get_or_create(&model).inc_by(measurements.slices as u64);
        self.inference.get_or_create(&model).inc_by(measurements.stages.inference / 1e3);
    }
}

/// The metrics as text. The gauges are set here, from the state of the service at this moment.
pub(super) async fn metrics(State(service): State<Arc<Service>>) -> Result<Response, Problem> {
    let (metrics, limits) = (&service.metrics, &service.limits);
    let running = limits.running.saturating_sub(service.running.available_permits());
    let admitted =
        (limits.running + limits.waiting).saturating_sub(service.admitted.available_permits());
    metrics.running.set(running as i64);
    metrics.waiting.set(admitted.saturating_sub(running) as i64);
    if let Some(JobBackend::Local(local)) = &service.job_backend {
        metrics.jobs_waiting.set(local.waiting() as i64);
        local.take_measurements().iter().for_each(|measurements| metrics.add(measurements));
    }
    let mut text = String::new();
    encode(&mut text, &metrics.registry).map_err(|_| Problem::internal())?;
    let content_type = "text/plain; version=0.0.4; charset=utf-8";
    let headers = [(header::CONTENT_TYPE, content_type), (header::CACHE_CONTROL, "no-store")];
    Ok((headers, text).into_response())
}
