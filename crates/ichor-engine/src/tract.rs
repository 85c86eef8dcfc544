//! An engine that runs networks in [tract](https://github.com/sonos/tract), on the CPU.

use super::{LoadStage, Logits};
use crate::IoSpec;
use crate::{Error, Result};
use std::sync::Arc;
use tract_onnx::prelude::*;

/// An optimized tract plan for one fixed input shape.
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
        let fail = |reason: &str| {
            Error::Network(format!("{reason}. Export the network again with training/export.py."))
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
        engine.check_shapes().map_err(|_| {
            fail("the network's outputs do not have the shapes that model.json declares")
        })?;
        Ok(engine)
    }

    /// Compares the output shapes of the optimized plan with the expected ones; no run is needed for that.
    fn check_shapes(&self) -> TractResult<()> {
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

/// Clears the upper halves of the vector registers, which tract's AVX-512 kernels leave in use.
///
/// Until they are cleared, each transition between SSE code (this program) and AVX code (`exp` of the C library) costs
/// about 100 ns, which adds up to 9 ms per slice. `memchr` on a slice of this length runs AVX code that ends with
/// `vzeroupper`.
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
        // A concrete shape: with a symbolic batch dimension a run takes three times as long.
        .with_input_fact(0, f32::fact(spec.input_shape).into())?
        .with_outputs_by_name(names)?
        .into_optimized()?
        .into_runnable()?;
    on_stage(LoadStage::Planned);
    Ok(plan)
}
