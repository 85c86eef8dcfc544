//! Logs: telemetry on standard output, and events for the operator on standard error.
//!
//! Telemetry is one JSON object per line, with metrics in CloudWatch's embedded metric format. A line holds
//! identifiers made here, the route as the router knows it, sizes, codes and times. It never holds a path as it was
//! requested, a header, an address, or anything of an image. Whether hemorrhage was found is left out too: on a
//! service with few users it would reveal something about a person.
//!
//! Events are those of the crate `tracing`. [`init_logging`] lets only events of Ichor itself pass: the libraries that
//! read DICOM write attributes of patients into theirs, and the Lambda runtime writes whole requests.

use crate::segmenter::{Analysis, Segmenter, StageTimings};
use serde_json::{Map, Value, json};
use std::str::FromStr;
use std::time::{SystemTime, UNIX_EPOCH};
use tracing::Metadata;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::{FilterExt, Targets, filter_fn};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry};

/// Namespace of the metrics.
const NAMESPACE: &str = "Ichor";

/// What is measured of the segmentation of one input.
#[derive(Debug, Clone)]
pub struct Measurements {
    /// Name of the model.
    pub model: String,
    /// Slices segmented.
    pub slices: usize,
    /// Durations of the stages, ms, summed over the slices.
    pub stages: StageTimings,
}

impl Measurements {
    /// The measurements of an analysis by `model`.
    pub fn new(model: &Segmenter, analysis: &Analysis) -> Self {
        Self {
            model: model.spec().name.clone(),
            slices: analysis.slices.len(),
            stages: analysis.timings,
        }
    }

    /// Adds the measurements of another input.
    pub fn add(&mut self, other: &Self) {
        self.slices += other.slices;
        self.stages = self.stages + other.stages;
    }
}

/// Writes a line of telemetry; `None` writes none.
pub type Sink = Option<fn(&str)>;

/// A metric: name, value and unit.
pub type Metric = (&'static str, f64, Unit);

/// Units of metrics, with the names of CloudWatch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Milliseconds.
    Milliseconds,
    /// Bytes.
    Bytes,
    /// A number of things.
    Count,
}

/// One line: `facts` for people and searches, `metrics` for graphs and alarms, grouped by `dimensions`.
///
/// The `_aws` part follows the *Embedded metric format specification* of the Amazon CloudWatch user guide. `now_ms` is
/// in ms since 1970.
pub fn line(facts: Value, dimensions: &[&str], metrics: &[Metric], now_ms: u64) -> String {
    let mut line = match facts {
        Value::Object(facts) => facts,
        _ => Map::new(),
    };
    line.insert("time_ms".into(), now_ms.into());
    for (name, value, _) in metrics {
        line.insert((*name).into(), json!((value * 1000.0).round() / 1000.0));
    }
    if !metrics.is_empty() {
        let described: Vec<Value> = metrics
            .iter()
            .map(|(name, _, unit)| json!({"Name": name, "Unit": format!("{unit:?}")}))
            .collect();
        let set = json!({"Namespace": NAMESPACE, "Dimensions": [dimensions], "Metrics": described});
        line.insert("_aws".into(), json!({"Timestamp": now_ms, "CloudWatchMetrics": [set]}));
    }
    Value::Object(line).to_string()
}

/// The form of events on standard error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// Lines for people.
    Text,
    /// One JSON object per line.
    JsonLines,
}

/// Starts to write events of Ichor to standard error. `filter` is a level or a list of `target=level`, as the
/// variable `RUST_LOG` holds it; without one, or with one that cannot be parsed, warnings and errors are written.
/// Does nothing where a subscriber exists already.
pub fn init_logging(filter: Option<&str>, format: LogFormat) {
    let _ = tracing_subscriber::registry().with(events(filter, format, std::io::stderr)).try_init();
}

/// Writes the events that the filter and [`is_own_event`] accept.
fn events<W>(filter: Option<&str>, format: LogFormat, writer: W) -> impl Layer<Registry>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let events = tracing_subscriber::fmt::layer().with_writer(writer).with_ansi(false);
    let events = match format {
        LogFormat::Text => events.boxed(),
        LogFormat::JsonLines => events.json().flatten_event(true).boxed(),
    };
    events.with_filter(level_filter(filter).and(filter_fn(is_own_event)))
}

fn level_filter(filter: Option<&str>) -> Targets {
    let parsed = filter.filter(|text| !text.trim().is_empty()).map(Targets::from_str);
    let default = || Targets::new().with_default(LevelFilter::WARN);
    parsed.and_then(Result::ok).unwrap_or_else(default)
}

/// Whether an event is of a crate of this workspace: `ichor`, `ichor_core` and so on.
fn is_own_event(metadata: &Metadata<'_>) -> bool {
    let name = metadata.target().split("::").next().unwrap_or_default();
    name == "ichor" || name.starts_with("ichor_")
}

/// Writes a line to standard output, where CloudWatch reads metrics from.
pub fn to_stdout(line: &str) {
    use std::io::Write;
    // A closed pipe is no reason to stop serving.
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

/// The current time, ms since 1970.
pub fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or_default()
}

/// The age of this process, ms, in steps of 10 ms (proc(5): `uptime`, and field 22 of `stat`); `None` where there
/// is no `/proc`.
pub fn process_age_ms() -> Option<f64> {
    const TICKS_PER_SECOND: f64 = 100.0;
    let uptime = std::fs::read_to_string("/proc/uptime").ok()?;
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let uptime: f64 = uptime.split_whitespace().next()?.parse().ok()?;
    let started: f64 = stat.rsplit_once(") ")?.1.split_whitespace().nth(19)?.parse().ok()?;
    Some(((uptime - started / TICKS_PER_SECOND) * 1e3).max(0.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Seek, SeekFrom};

    /// What `emit` writes with a filter.
    fn written(filter: Option<&str>, format: LogFormat, emit: impl FnOnce()) -> String {
        let mut file = tempfile::tempfile().unwrap();
        let layer = events(filter, format, std::sync::Mutex::new(file.try_clone().unwrap()));
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), emit);
        file.seek(SeekFrom::Start(0)).unwrap();
        std::io::read_to_string(file).unwrap()
    }

    #[test]
    fn only_events_of_ichor_are_written() {
        let text = written(Some("trace"), LogFormat::JsonLines, || {
            tracing::info!(target: "ichor::http", status = 200, "request answered");
            tracing::error!(target: "dicom_parser", "PatientName Mary");
            tracing::trace!(target: "lambda_runtime", "body Mary");
            tracing::error!(target: "ichorous", "Mary");
        });
        let event: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            (&event["message"], &event["status"]),
            (&json!("request answered"), &json!(200))
        );
    }

    #[test]
    fn warnings_are_the_default_level() {
        let emit = || {
            tracing::warn!(target: "ichor", "first");
            tracing::info!(target: "ichor", "second");
        };
        for (filter, lines) in [(None, 1), (Some(""), 1), (Some("a=b=c"), 1), (Some("info"), 2)] {
            assert_eq!(written(filter, LogFormat::Text, emit).lines().count(), lines, "{filter:?}");
        }
    }

    #[test]
    fn a_line_describes_its_metrics() {
        let metrics =
            [("decode_ms", 1.23456, Unit::Milliseconds), ("cold_start", 1.0, Unit::Count)];
        let line =
            line(json!({"event": "request", "route": "/v1/segment"}), &["route"], &metrics, 5);
        let value: Value = serde_json::from_str(&line).unwrap();
        assert_eq!((&value["decode_ms"], &value["route"]), (&json!(1.235), &json!("/v1/segment")));
        let set = &value["_aws"]["CloudWatchMetrics"][0];
        for metric in set["Metrics"].as_array().unwrap() {
            assert!(value[metric["Name"].as_str().unwrap()].is_number(), "every name has a value");
        }
        for dimension in set["Dimensions"][0].as_array().unwrap() {
            assert!(value[dimension.as_str().unwrap()].is_string(), "every name has a value");
        }
        assert_eq!(set["Metrics"][0]["Unit"], "Milliseconds");
    }
}
