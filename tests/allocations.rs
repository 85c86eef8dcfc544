//! Memory asked for by one slice once the process is warm. A program of its own, as it counts every allocation.

use allocation_counter::{AllocationInfo, measure};
use ichor::decode::Limits;
use ichor::engine::Logits;
use ichor::report::{Include, write_answer};
use ichor::segmenter::{Found, Gate, Given, Models, SegmentOptions, Segmenter};
use ichor::storage::read_model_dir;
use std::error::Error;
use std::path::Path;

/// Bytes of a file to the bytes of its JSON answer, with logits that are known already.
fn answer(model: &Segmenter, bytes: &[u8], logits: &Logits) -> Result<Vec<u8>, Box<dyn Error>> {
    let options = SegmentOptions { contours: true, ..SegmentOptions::default() };
    let clock = || 0.0;
    let given = Given::from_bytes(bytes, &Limits::default(), &clock)?;
    let series = ichor::series::assemble(given.decoded, Default::default())?;
    let known = |_: &_| ichor_core::Result::Ok(logits.clone());
    let found = model.segment_with(&series.slices[0], options, Gate::Own, &clock, &known)?;
    let found = Found::Slice { series: Box::new(series), found: Box::new(found) };
    let answer = write_answer(model, found, options, Include::default(), 0.0, &clock)?;
    Ok(serde_json::to_vec(&answer)?)
}

fn of_a_slice(model: &Segmenter, name: &str) -> Result<AllocationInfo, Box<dyn Error>> {
    let bytes = std::fs::read(Path::new("frontend/samples").join(name))?;
    let slice = ichor::decode::decode_slice(&bytes, &Limits::default())?;
    let (_, logits) = model.logits(&slice)?;
    let warm = answer(model, &bytes, &logits)?;
    assert!(warm.len() > 50_000, "the answer carries its pictures");
    let mut again = Ok(Vec::new());
    let info = measure(|| again = answer(model, &bytes, &logits));
    assert_eq!(again?.len(), warm.len());
    Ok(info)
}

/// Counted: 208 and 267 allocations of 4.5 and 7.5 MiB in all. A little above is allowed: an allocation a
/// row (512), or a few more copies of the slice (1 MiB as numbers), break it.
#[test]
fn everything_but_the_network_asks_for_little_memory() -> Result<(), Box<dyn Error>> {
    let files = read_model_dir(Path::new("models"))?;
    let files = files.into_iter().filter(|files| files.spec.name == "deeplabv3").collect();
    let models = Models::load(files, None)?;
    for name in ["008_38y_none_110kV_430mA.png", "090_9y_intraparenchymal_110kV_220mA.png"] {
        let info = of_a_slice(models.default_model(), name)?;
        println!("{name}: {} allocations, {} bytes", info.count_total, info.bytes_total);
        assert!(info.count_total < 300, "{name}: {} allocations", info.count_total);
        assert!(info.bytes_total < 10 << 20, "{name}: {} bytes", info.bytes_total);
        assert!(info.bytes_max < 6 << 20, "{name}: {} bytes at once", info.bytes_max);
        assert_eq!(info.count_current, 1, "{name}: all but the answer is given back");
    }
    Ok(())
}
