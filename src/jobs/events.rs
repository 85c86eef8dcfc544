//! Events of the worker function: messages of a queue about complete uploads, and the steps of a
//! [data set](super::dataset).
//!
//! The bucket sends a message to an SQS queue for each upload (S3 event notification, structure 2.x), and Lambda invokes
//! the function with these messages. The answer lists those that failed (`ReportBatchItemFailures`).

use super::dataset::{Gather, Item};
use super::{JobId, Outcome, Worker};
use crate::error::{Error, Result};
use crate::telemetry::{Unit, line, now_ms};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::time::Instant;

/// Messages of an SQS queue, in the form of a Lambda event.
#[derive(Debug, Deserialize)]
pub struct Batch {
    /// The messages.
    #[serde(rename = "Records")]
    pub messages: Vec<Message>,
}

/// One message.
#[derive(Debug, Deserialize)]
pub struct Message {
    /// Identifier of the message, for the answer.
    #[serde(rename = "messageId")]
    pub id: String,
    /// The notification of S3, JSON.
    #[serde(default)]
    pub body: String,
}

/// The answer to the queue.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct BatchAnswer {
    /// The messages that the queue delivers again.
    #[serde(rename = "batchItemFailures")]
    pub failures: Vec<Failure>,
}

/// A message that failed.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// Its identifier.
    #[serde(rename = "itemIdentifier")]
    pub id: String,
}

/// The jobs whose uploads a message names. Any other content (the test event of S3, other objects, invalid JSON)
/// gives no job and no error: it would be the same when delivered again.
pub fn jobs_of(message: &Message) -> Vec<JobId> {
    let event: Value = serde_json::from_str(&message.body).unwrap_or_default();
    let records = event["Records"].as_array().map_or(&[][..], Vec::as_slice);
    let keys = records.iter().filter_map(|record| record["s3"]["object"]["key"].as_str());
    keys.filter_map(JobId::of_upload).collect()
}

/// An event of the worker function.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Event {
    Queue(Batch),
    Series { series: Item },
    Gather { gather: Gather },
}

/// Does the work of one event, and writes a line of telemetry to `sink` for each job or series. To be called on a
/// thread that may block.
///
/// # Errors
/// [`Error::InvalidParameter`] for an unknown event; for the steps of a data set as [`Worker::write_row`]. Failures of
/// messages are in the answer instead.
pub fn handle_event(worker: Worker<'_>, event: &Value, sink: fn(&str)) -> Result<Value> {
    let json =
        |written: serde_json::Result<Value>| written.map_err(|e| Error::Internal(e.to_string()));
    let event = Event::deserialize(event).map_err(|_| {
        let remedy = "The event is neither a batch of a queue nor a step of a data set";
        Error::InvalidParameter(remedy.into())
    })?;
    match event {
        Event::Queue(batch) => json(serde_json::to_value(handle_batch(worker, &batch, sink))),
        Event::Series { series } => {
            run_logged("series", sink, || worker.write_row(&series))?;
            json(Ok(json!({"key": series.key})))
        }
        Event::Gather { gather } => json(serde_json::to_value(worker.gather(&gather)?)),
    }
}

fn handle_batch(worker: Worker<'_>, batch: &Batch, sink: fn(&str)) -> BatchAnswer {
    let mut answer = BatchAnswer::default();
    for message in &batch.messages {
        let outcomes =
            jobs_of(message).into_iter().map(|id| run_logged("job", sink, || worker.run(id)));
        // Runs every job, also after a failure: a message may name several uploads.
        if outcomes.filter(Result::is_err).count() > 0 {
            answer.failures.push(Failure { id: message.id.clone() });
        }
    }
    answer
}

fn run_logged(
    kind: &str,
    sink: fn(&str),
    work: impl FnOnce() -> Result<Outcome>,
) -> Result<Outcome> {
    let start = Instant::now();
    let outcome = work();
    let outcome_text = match &outcome {
        Ok(outcome) => format!("{outcome:?}").to_lowercase(),
        // The error of the store is for the operator; it names no object.
        Err(error) => error.to_string(),
    };
    let metrics = [
        ("work_ms", start.elapsed().as_secs_f64() * 1e3, Unit::Milliseconds),
        ("work_failed", f64::from(u8::from(matches!(outcome, Ok(Outcome::Failed)))), Unit::Count),
        ("work_retried", f64::from(u8::from(outcome.is_err())), Unit::Count),
    ];
    sink(&line(json!({"event": kind, "outcome": outcome_text}), &["event"], &metrics, now_ms()));
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(body: &str) -> Message {
        Message { id: "1".into(), body: body.into() }
    }

    #[test]
    fn messages_give_the_jobs_of_uploads_only() {
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
