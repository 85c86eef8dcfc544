//! Memory asked for by one slice once the process is warm. A program of its own, as it counts every allocation.

use allocation_counter::{AllocationInfo, measure};
use ichor::decode::{Input, Limits, open};
use ichor::engine::Logits;
use ichor::report::{Include, write_report};
use ichor::segmenter::{
    Checkpoints, Interrupted, Models, NoObserver, SegmentRequest, SegmentedSlice, Segmenter,
};
use ichor::series::Series;
use ichor::storage::read_model_dir;
use std::error::Error;
use std::path::Path;

/// Logits of the only slice, as if an earlier run had saved them.
struct Saved<'a>(&'a Logits);

impl Checkpoints for Saved<'_> {
    fn on_series(&self, _: &Series) -> Result<(), Interrupted> {
        Ok(())
    }

    fn load_logits(&self, _: usize) -> Result<Option<Logits>, Interrupted> {
        Ok(Some(self.0.clone()))
    }

    fn save_logits(&self, _: usize, _: &Logits) -> Result<(), Interrupted> {
        Ok(())
    }

    fn on_slice(&self, _: &Series, _: usize, _: &SegmentedSlice) -> Result<(), Interrupted> {
        Ok(())
    }
}

/// Bytes of a file to the bytes of its JSON report, with logits that are computed already.
fn report(model: &Segmenter, bytes: &[u8], logits: &Logits) -> Result<Vec<u8>, Box<dyn Error>> {
    let request = SegmentRequest { contours: true, ..SegmentRequest::default() };
    let slices = open(Input::Bytes(bytes), &Limits::default())?;
    let saved = Saved(logits);
    let analysis = model.segment_with_checkpoints(slices, &request, &NoObserver, &saved)?;
    let report = write_report(model, analysis, Include::default(), &NoObserver)?;
    Ok(serde_json::to_vec(&report)?)
}

fn of_a_slice(model: &Segmenter, name: &str) -> Result<AllocationInfo, Box<dyn Error>> {
    let bytes = std::fs::read(Path::new("frontend/samples").join(name))?;
    let slice = ichor::decode::decode_slice(&bytes, &Limits::default())?;
    let (_, logits) = model.logits(&slice)?;
    let warm = report(model, &bytes, &logits)?;
    assert!(warm.len() > 50_000, "the report carries its pictures");
    let mut again = Ok(Vec::new());
    let info = measure(|| again = report(model, &bytes, &logits));
    assert_eq!(again?.len(), warm.len());
    Ok(info)
}

/// Counted: about 250 and 300 allocations of 7 and 10 MiB in all. A little more is allowed: an allocation per row (512), or
/// a few more copies of the slice (1 MiB as numbers), exceed it.
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
        assert_eq!(info.count_current, 1, "{name}: all but the report is freed");
    }
    Ok(())
}
