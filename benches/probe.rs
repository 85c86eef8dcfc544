//! The library as a process that does what each line on its standard input asks for and then says `done`, so
//! that `benches/bench.py` can take turns between engines and read each one's clock from outside.
//!
//! Lines: `network MODEL RUNS THREADS`, the network alone on a prepared slice, on several threads one slice each;
//! `slice MODEL RUNS`, bytes of a file to the bytes of the JSON answer; `assess RUNS`, the input assessment alone.
//!
//! Arguments: the folder of models, the file of a slice.

use ichor::decode::{Input, Limits, open};
use ichor::error::{Error, Result};
use ichor::preprocess::{NetworkInput, preprocess};
use ichor::report::{Include, write_report};
use ichor::segmenter::{Models, NoObserver, SegmentRequest, Segmenter};
use ichor::storage::read_model_dir;
use rayon::prelude::*;
use std::io::BufRead;
use std::path::Path;

fn main() -> Result<()> {
    let usage = || Error::InvalidParameter("usage: probe MODELS SLICE".into());
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().ok_or_else(usage)?;
    let file = arguments.next().ok_or_else(usage)?;
    let models = Models::load(read_model_dir(Path::new(&folder))?, None)?;
    let bytes = std::fs::read(file).map_err(Error::io("The slice cannot be read"))?;
    println!("ready");
    for line in std::io::stdin().lock().lines() {
        obey(&models, &bytes, &line.map_err(Error::io("Standard input cannot be read"))?)?;
        println!("done");
    }
    Ok(())
}

fn obey(models: &Models, bytes: &[u8], line: &str) -> Result<()> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let number = |word: &str| {
        word.parse().map_err(|_| Error::InvalidParameter(format!("'{word}' is no number")))
    };
    match words[..] {
        ["network", model, runs, threads] => {
            run_network(models.get(Some(model))?, bytes, number(runs)?, number(threads)?)
        }
        ["assess", runs] => {
            let slice = ichor::decode::decode_slice(bytes, &Limits::default())?;
            let plane = slice.plane.expand();
            for _ in 0..number(runs)? {
                std::hint::black_box(ichor::assess::assess(&slice, &plane));
            }
            Ok(())
        }
        ["slice", model, runs] => {
            let model = models.get(Some(model))?;
            (0..number(runs)?).try_for_each(|_| answer(model, bytes))
        }
        _ => Err(Error::InvalidParameter(format!("'{line}' is no command"))),
    }
}

fn run_network(model: &Segmenter, bytes: &[u8], runs: usize, threads: usize) -> Result<()> {
    let prepared = prepare(model, bytes)?;
    let run = |_| model.infer(&prepared).map(drop);
    if threads == 1 {
        return Ok((0..runs).try_for_each(run)?);
    }
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    let pool = pool.map_err(|e| Error::Internal(e.to_string()))?;
    Ok(pool.install(|| (0..runs).into_par_iter().try_for_each(run))?)
}

fn prepare(model: &Segmenter, bytes: &[u8]) -> Result<NetworkInput> {
    Ok(preprocess(&ichor::decode::decode_slice(bytes, &Limits::default())?, model.spec())?)
}

/// What the API does for one request, without HTTP.
fn answer(model: &Segmenter, bytes: &[u8]) -> Result<()> {
    let request = SegmentRequest { contours: true, ..SegmentRequest::default() };
    let slices = open(Input::Bytes(bytes), &Limits::default())?;
    let analysis = model.segment(slices, &request, &NoObserver)?;
    let report = write_report(model, analysis, Include::default(), &NoObserver)?;
    serde_json::to_vec(&report).map(drop).map_err(|e| Error::Internal(e.to_string()))
}
