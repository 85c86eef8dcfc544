//! Log lines and metrics: one JSON object a line, metrics in CloudWatch's embedded metric format.
//!
//! A line holds identifiers made here, the route as the router knows it, sizes, codes and times;
//! never a path as it was asked for, a header, an address, or anything of an image. Whether blood
//! was found is not among it: on a service with few users it would say something of a person.

use serde_json::{Map, Value, json};
use std::time::{SystemTime, UNIX_EPOCH};

/// Namespace of the metrics.
const NAMESPACE: &str = "Ichor";

/// Where lines go; `None` says nothing.
pub type Sink = Option<fn(&str)>;

/// A metric: name, value, and its unit by CloudWatch's name.
pub type Metric = (&'static str, f64, Unit);

/// Units that CloudWatch knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Milliseconds.
    Milliseconds,
    /// Bytes.
    Bytes,
    /// A number of things.
    Count,
}

/// One line: `facts` for people and searches, `metrics` for graphs and alarms, by `dimensions`.
///
/// The form of the `_aws` part: *Embedded metric format specification*, Amazon CloudWatch user
/// guide. `now_ms` is in ms since 1970.
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

/// Writes to standard output, which is where CloudWatch reads metrics from.
pub fn to_stdout(line: &str) {
    use std::io::Write;
    // A reader that went away is no reason to stop serving.
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

/// Time, ms since 1970.
pub fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or_default()
}

/// For how long this process has existed, ms, in steps of the kernel's 10 ms (proc(5): `uptime` and
/// field 22 of `stat`, counted after the name); `None` where there is no `/proc`.
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
            assert!(value[metric["Name"].as_str().unwrap()].is_number(), "named and there");
        }
        for dimension in set["Dimensions"][0].as_array().unwrap() {
            assert!(value[dimension.as_str().unwrap()].is_string(), "named and there");
        }
        assert_eq!(set["Metrics"][0]["Unit"], "Milliseconds");
    }
}
