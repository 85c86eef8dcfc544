//! What wakes the worker function: a queue's messages about uploads that arrived, and the steps
//! of a [data set](super::dataset).
//!
//! The bucket tells an SQS queue of each upload (S3 event notification, structure 2.x), and Lambda
//! hands over its messages; the answer names those that must come again (`ReportBatchItemFailures`).

use super::dataset::{Gather, Item};
use super::{JobId, Outcome, Worker};
use crate::error::{Error, Result};
use crate::telemetry::{Unit, line, now_ms};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::time::Instant;

/// Messages of an SQS queue as Lambda gets them.
#[derive(Debug, Deserialize)]
pub struct Batch {
    /// The messages.
    #[serde(rename = "Records")]
    pub messages: Vec<Message>,
}

/// One message.
#[derive(Debug, Deserialize)]
pub struct Message {
    /// Identifier of its delivery, which the answer quotes.
    #[serde(rename = "messageId")]
    pub id: String,
    /// What S3 wrote, JSON.
    #[serde(default)]
    pub body: String,
}

/// Lambda's answer to the queue.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct BatchAnswer {
    /// The messages to deliver again.
    #[serde(rename = "batchItemFailures")]
    pub failures: Vec<Failure>,
}

/// A message to deliver again.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// Its identifier.
    #[serde(rename = "itemIdentifier")]
    pub id: String,
}

/// Jobs whose uploads a message speaks of. Anything else it may hold (S3's test event, other
/// objects, broken JSON) names none: delivering that again would mend nothing.
pub fn jobs_of(message: &Message) -> Vec<JobId> {
    let event: Value = serde_json::from_str(&message.body).unwrap_or_default();
    let records = event["Records"].as_array().map_or(&[][..], Vec::as_slice);
    let keys = records.iter().filter_map(|record| record["s3"]["object"]["key"].as_str());
    keys.filter_map(JobId::of_upload).collect()
}

/// Whatever the worker is invoked with.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Event {
    Queue(Batch),
    Series { series: Item },
    Gather { gather: Gather },
}

/// Answers whatever the function was invoked with; `sink` hears a line of telemetry for each piece
/// of work. Called from a thread that may block.
///
/// # Errors
/// [`Error::InvalidParameter`] for an event of another form; for the steps of a data set as
/// [`Worker::write_row`]. Those of a queue name what failed in their answer.
pub fn answer(worker: Worker<'_>, event: &Value, sink: fn(&str)) -> Result<Value> {
    let json =
        |written: serde_json::Result<Value>| written.map_err(|e| Error::Internal(e.to_string()));
    let event = Event::deserialize(event).map_err(|_| {
        let remedy = "The event is neither of a queue nor a step of a data set";
        Error::InvalidParameter(remedy.into())
    })?;
    match event {
        Event::Queue(batch) => json(serde_json::to_value(work_off(worker, &batch, sink))),
        Event::Series { series } => {
            told("series", sink, || worker.write_row(&series))?;
            json(Ok(json!({"key": series.key})))
        }
        Event::Gather { gather } => json(serde_json::to_value(worker.gather(&gather)?)),
    }
}

fn work_off(worker: Worker<'_>, batch: &Batch, sink: fn(&str)) -> BatchAnswer {
    let mut answer = BatchAnswer::default();
    for message in &batch.messages {
        let outcomes = jobs_of(message).into_iter().map(|id| told("job", sink, || worker.run(id)));
        // All of them, not up to the first: a message may speak of several uploads.
        if outcomes.filter(Result::is_err).count() > 0 {
            answer.failures.push(Failure { id: message.id.clone() });
        }
    }
    answer
}

fn told(kind: &str, sink: fn(&str), work: impl FnOnce() -> Result<Outcome>) -> Result<Outcome> {
    let start = Instant::now();
    let outcome = work();
    let ended = match &outcome {
        Ok(outcome) => format!("{outcome:?}").to_lowercase(),
        // What the store said is for the operator; it names no object.
        Err(error) => error.to_string(),
    };
    let metrics = [
        ("work_ms", start.elapsed().as_secs_f64() * 1e3, Unit::Milliseconds),
        ("work_failed", f64::from(u8::from(matches!(outcome, Ok(Outcome::Failed)))), Unit::Count),
        ("work_retried", f64::from(u8::from(outcome.is_err())), Unit::Count),
    ];
    sink(&line(json!({"event": kind, "outcome": ended}), &["event"], &metrics, now_ms()));
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(body: &str) -> Message {
        Message { id: "1".into(), body: body.into() }
    }

    #[test]
    fn messages_name_the_jobs_of_uploads_and_nothing_else() {
        let id = JobId::new();
        let of_key = |key: &str| {
            message(&format!(
                r#"{{"Records": [{{"eventName": "ObjectCreated:Put", "s3": {{"object": {{"key": "{key}"}}}}}}]}}"#
            ))
        };
        assert_eq!(jobs_of(&of_key(&format!("uploads/{id}"))), [id]);
        for key in ["uploads/", "jobs/1/job.json", &format!("uploads/{id}/more"), "uploads/%2e%2e"]
        {
            assert_eq!(jobs_of(&of_key(key)), [], "{key}");
        }
        for body in ["", "null", "[]", "{", r#"{"Event": "s3:TestEvent"}"#, r#"{"Records": 7}"#] {
            assert_eq!(jobs_of(&message(body)), [], "{body}");
        }
    }
}
