//! Whole data sets: one row of a table per series, then all rows as one CSV.
//!
//! A distributed map (AWS Step Functions) lists the objects of a prefix and invokes the worker once per object, and once
//! more to gather the rows. Rows are stored under the name of the run, each with a key that depends on its series only,
//! so that a repeated series is still one row.

use super::{JSON, Outcome, Worker, read_json, to_json};
use crate::decode::{Input, open};
use crate::error::{Error, Result};
use crate::problem::Problem;
use crate::segmenter::{Analysis, NoObserver, SegmentRequest};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// One series of a data set.
#[derive(Debug, Deserialize)]
pub struct Item {
    /// Key of its file: a zip, a NIfTI volume, a multi-frame object or a single image.
    pub key: String,
    /// Name of the run.
    pub run: String,
    /// Model; the default one if missing.
    #[serde(default)]
    pub model: Option<String>,
    /// Threshold instead of that of the model.
    #[serde(default)]
    pub threshold: Option<f32>,
}

/// The last step of a run.
#[derive(Debug, Deserialize)]
pub struct Gather {
    /// Name of the run.
    pub run: String,
}

/// The result of one series. Numbers are empty where they cannot be computed.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// Key of the file.
    pub key: String,
    /// Slices read.
    pub slices: Option<usize>,
    /// Whether hemorrhage was detected.
    pub detected: Option<bool>,
    /// Highest calibrated probability of the slices.
    pub probability: Option<f32>,
    /// Total volume, mL.
    pub volume_ml: Option<f32>,
    /// Index of the key slice.
    pub key_slice: Option<usize>,
    /// Threshold of the masks.
    pub threshold: Option<f32>,
    /// Name of the model.
    pub model: String,
    /// Its version.
    pub model_version: String,
    /// Codes of the warnings, separated by spaces.
    pub warnings: String,
    /// Code of the problem of a series that could not be segmented.
    pub problem: String,
}

/// The answer of the last step.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Table {
    /// Key of the CSV.
    pub table: String,
    /// Number of rows.
    pub rows: usize,
    /// Rows with a problem.
    pub failed: usize,
}

impl Worker<'_> {
    /// Writes the row of one series. A file that cannot be read gets a row with its problem: one of thousands must
    /// not end the run.
    ///
    /// # Errors
    /// [`Error::Unavailable`]; [`Error::InvalidParameter`] for an invalid name of a run;
    /// [`ichor_core::Error::ModelNotFound`].
    pub fn write_row(&self, item: &Item) -> Result<Outcome> {
        let key = format!("{}{}.json", folder(&item.run)?, short_digest(&item.key));
        if self.runtime.block_on(self.store.exists(&key))? {
            return Ok(Outcome::Ended);
        }
        let model = self.models.get(item.model.as_deref())?.spec();
        let row = Row {
            key: item.key.clone(),
            model: model.name.clone(),
            model_version: model.version.clone(),
            ..Row::default()
        };
        let analysed = catch_unwind(AssertUnwindSafe(|| self.analyse(item)));
        let analysed = analysed.unwrap_or_else(|_| Err(Error::Internal("panic".into())));
        let (row, outcome) = match analysed {
            Ok(analysis) => (filled_row(row, &analysis), Outcome::Done),
            Err(error @ Error::Unavailable(_)) => return Err(error),
            Err(error) => {
                let problem = Problem::from(error).code.to_owned();
                (Row { problem, ..row }, Outcome::Failed)
            }
        };
        self.runtime.block_on(self.store.put(&key, JSON, to_json(&row)?))?;
        Ok(outcome)
    }

    fn analyse(&self, item: &Item) -> Result<Analysis> {
        let model = self.models.get(item.model.as_deref())?;
        let bytes = self.runtime.block_on(self.store.get(&item.key))?.unwrap_or_default();
        let request = SegmentRequest { threshold: item.threshold, ..SegmentRequest::default() };
        let slices = open(Input::Bytes(&bytes), self.limits)?;
        Ok(model.segment(slices, &request, &NoObserver)?)
    }

    /// Writes the table of a run, sorted by key.
    ///
    /// # Errors
    /// As [`Worker::write_row`].
    pub fn gather(&self, gather: &Gather) -> Result<Table> {
        let folder = folder(&gather.run)?;
        let mut rows: Vec<Row> = Vec::new();
        for name in self.runtime.block_on(self.store.list(&folder))? {
            rows.extend(self.runtime.block_on(read_json(self.store, &format!("{folder}{name}")))?);
        }
        rows.sort_by(|a: &Row, b: &Row| a.key.cmp(&b.key));
        let mut csv = csv::Writer::from_writer(Vec::new());
        let not_written = || Error::Internal("the table cannot be written".into());
        for row in &rows {
            csv.serialize(row).map_err(|_| not_written())?;
        }
        let bytes = csv.into_inner().map_err(|_| not_written())?;
        let table = format!("tables/{}.csv", gather.run);
        self.runtime.block_on(self.store.put(&table, "text/csv", bytes))?;
        let failed = rows.iter().filter(|row| !row.problem.is_empty()).count();
        Ok(Table { table, rows: rows.len(), failed })
    }
}

fn filled_row(row: Row, analysis: &Analysis) -> Row {
    let codes: Vec<&str> = analysis.warnings.iter().map(|warning| warning.code).collect();
    Row {
        slices: Some(analysis.slices.len()),
        detected: analysis.detected,
        probability: analysis.probability,
        volume_ml: analysis.volume.total_volume_ml,
        key_slice: Some(analysis.key_slice),
        threshold: Some(analysis.threshold),
        warnings: codes.join(" "),
        ..row
    }
}

/// The folder of the rows of a run. Its name becomes part of keys, so only safe characters are accepted.
fn folder(run: &str) -> Result<String> {
    let is_safe = |b: u8| b.is_ascii_alphanumeric() || b"-_".contains(&b);
    if run.is_empty() || run.len() > 80 || !run.bytes().all(is_safe) {
        let remedy = "run takes 1 to 80 letters, digits, - and _, like the name of an execution.";
        return Err(Error::InvalidParameter(remedy.into()));
    }
    Ok(format!("tables/{run}/"))
}

fn short_digest(text: &str) -> String {
    hex::encode(&Sha256::digest(text)[..16])
}
