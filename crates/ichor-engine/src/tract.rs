//! The CPU engine.

use super::{LoadStage, Logits};
use crate::IoSpec;
use crate::{Error, Result};
use std::sync::Arc;
use tract_onnx::prelude::*;

/// An optimised tract plan for one fixed input shape.
pub struct TractEngine {
    plan: Arc<TypedRunnableModel>,
    shape: [usize; 4],
    mask_len: usize,
    slice_len: usize,
}

impl std::fmt::Debug for TractEngine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TractEngine").field("shape", &self.shape).finish_non_exhaustive()
    }
}

impl TractEngine {
    pub(super) fn load(spec: &IoSpec, onnx: &[u8], on_stage: &dyn Fn(LoadStage)) -> Result<Self> {
        let fail = |what: &str| {
            Error::Network(format!("{what}. Export the network again with training/export.py."))
        };
        let plan = build(spec, onnx, on_stage)
            .map_err(|e| fail(&format!("the network cannot be loaded: {e:#}")))?;
        let [_, _, height, width] = spec.input_shape;
        let engine = Self {
            plan,
            shape: spec.input_shape,
            mask_len: height * width,
            slice_len: spec.slice_len(),
        };
        engine.check().map_err(|_| {
            fail("the network's outputs do not have the shapes that model.json declares")
        })?;
        Ok(engine)
    }

    /// Output shapes are known once optimised; comparing them costs nothing, a trial run would.
    fn check(&self) -> TractResult<()> {
        let model = self.plan.model();
        let sizes = [self.mask_len, self.slice_len];
        for (output, size) in sizes.into_iter().filter(|&n| n > 0).enumerate() {
            let shape =
                model.output_fact(output)?.shape.as_concrete().map(|s| s.iter().product::<usize>());
            if shape != Some(size) {
                return Err(TractError::msg("shape"));
            }
        }
        Ok(())
    }

    pub(super) fn run(&self, tensor: &[f32]) -> Result<Logits> {
        self.infer(tensor).map_err(|e| Error::Run(e.root_cause().to_string()))
    }

    fn infer(&self, tensor: &[f32]) -> TractResult<Logits> {
        let input = Tensor::from_shape(&self.shape, tensor)?;
        let outputs = self.plan.run(tvec!(input.into()))?;
        clear_upper_halves();
        let read = |index: usize| -> TractResult<Vec<f32>> {
            Ok(outputs[index].to_plain_array_view::<f32>()?.iter().copied().collect())
        };
        let slice = if self.slice_len > 0 { read(1)? } else { Vec::new() };
        Ok(Logits { mask: read(0)?, slice })
    }
}

/// tract's AVX-512 kernels leave the upper halves of the registers in use. Until they are cleared each
/// step between SSE code, as all of ours is, and AVX code, as exp() of the C library is, costs 100 ns:
/// 9 ms a slice. memchr's search of a long enough slice is AVX code that clears them when it ends.
fn clear_upper_halves() {
    std::hint::black_box(memchr::memchr(1, std::hint::black_box(&[0; 256])));
}

fn build(
    spec: &IoSpec,
    onnx: &[u8],
    on_stage: &dyn Fn(LoadStage),
) -> TractResult<Arc<TypedRunnableModel>> {
    let mut names = vec![spec.mask.as_str()];
    names.extend(spec.slice.as_ref().map(|slice| slice.name.as_str()));
    let parsed = tract_onnx::onnx().model_for_read(&mut &onnx[..])?;
    on_stage(LoadStage::Read);
    let plan = parsed
        // A concrete shape: a symbolic batch dimension costs three times the run time.
        .with_input_fact(0, f32::fact(spec.input_shape).into())?
        .with_outputs_by_name(names)?
        .into_optimized()?
        .into_runnable()?;
    on_stage(LoadStage::Planned);
    Ok(plan)
}
