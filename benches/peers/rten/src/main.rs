//! The same ONNX files under rten, by the protocol of `benches/probe.rs`: `network MODEL RUNS THREADS`.
//!
//! Arguments: the folder of models, the number of threads (also in RTEN_NUM_THREADS).

use rten::{Dimension, Model};
use rten_tensor::NdTensor;
use rten_tensor::prelude::*;
use std::collections::BTreeMap;
use std::error::Error;
use std::io::BufRead;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().nth(1).ok_or("usage: rten-probe MODELS THREADS")?;
    let mut networks = BTreeMap::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path().join("model.onnx");
        if let (true, Some(name)) = (path.is_file(), path.parent().and_then(|p| p.file_name())) {
            networks.insert(name.to_string_lossy().into_owned(), Model::load_file(&path)?);
        }
    }
    println!("ready");
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let words: Vec<&str> = line.split_whitespace().collect();
        let [_, model, runs, _] = words[..] else { return Err("not a command".into()) };
        let model = networks.get(model).ok_or("no such model")?;
        let input = *model.input_ids().first().ok_or("no input")?;
        let shape = model.input_shape(0).ok_or("no shape")?;
        let [.., Dimension::Fixed(height), Dimension::Fixed(width)] = shape[..] else { return Err("not of one size".into()) };
        let tensor =
            NdTensor::from_fn([1, 1, height, width], |[_, _, y, x]| ((x * 7 + y * 13) % 97) as f32 / 50.0 - 1.0);
        for _ in 0..runs.parse::<usize>()? {
            model.run(vec![(input, tensor.view().into())], model.output_ids(), None)?;
        }
        println!("done");
    }
    Ok(())
}
