//! A session of onnxruntime, with reusable buffers for each batch size.

use crate::IoSpec;
use crate::Logits;
use crate::{Error, Result};
use ort::memory::{AllocationDevice, Allocator, AllocatorType, MemoryInfo, MemoryType};
use ort::session::{IoBinding, Session};
use ort::value::Tensor;
use std::collections::BTreeMap;

/// A session, and buffers for each batch size that was used.
pub(super) struct BatchSession {
    session: Session,
    shape: [usize; 4],
    names: Names,
    slice_len: usize,
    on_gpu: bool,
    buffers: BTreeMap<usize, Buffers>,
}

/// Names of the tensors.
struct Names {
    input: String,
    mask: String,
    slice: Option<String>,
}

/// Tensors for one batch size, bound to the session. On a GPU they are in pinned memory, which the GPU can access
/// directly.
struct Buffers {
    binding: IoBinding,
    input: Tensor<f32>,
    mask: Tensor<f32>,
    slice: Option<Tensor<f32>>,
}

impl BatchSession {
    /// Wraps a session; `on_gpu` is true if it computes on a GPU.
    ///
    /// # Errors
    /// A message, if the session does not have the inputs and outputs of `spec`.
    pub(super) fn new(
        session: Session,
        spec: &IoSpec,
        on_gpu: bool,
    ) -> std::result::Result<Self, &'static str> {
        let names = Names {
            input: spec.input.clone(),
            mask: spec.mask.clone(),
            slice: spec.slice.as_ref().map(|slice| slice.name.clone()),
        };
        let has = |name: &String| session.outputs().iter().any(|o| o.name() == name);
        if session.inputs().iter().all(|input| input.name() != names.input)
            || !has(&names.mask)
            || !names.slice.as_ref().is_none_or(has)
        {
            return Err("the network does not have the inputs and outputs that model.json names");
        }
        let slice_len = spec.slice_len();
        let (shape, buffers) = (spec.input_shape, BTreeMap::new());
        Ok(Self { session, shape, names, slice_len, on_gpu, buffers })
    }

    /// Computes any number of slices; the results have the same order.
    ///
    /// # Errors
    /// [`Error::Run`] if a tensor has the wrong length or onnxruntime fails.
    pub(super) fn run(&mut self, tensors: &[&[f32]]) -> Result<Vec<Logits>> {
        let mut logits = Vec::with_capacity(tensors.len());
        let mut rest = tensors;
        while !rest.is_empty() {
            let size = batch_size(rest.len(), self.on_gpu);
            let (batch, later) = rest.split_at(size.min(rest.len()));
            let computed = self.run_sized(batch, size);
            logits.extend(computed.map_err(|error| Error::Run(first_line(&error)))?);
            rest = later;
        }
        Ok(logits)
    }

    /// Computes `batch` in buffers for `size` slices; unused slots keep their previous input.
    fn run_sized(&mut self, batch: &[&[f32]], size: usize) -> ort::Result<Vec<Logits>> {
        let [_, channels, height, width] = self.shape;
        let input_len = channels * height * width;
        if batch.iter().any(|tensor| tensor.len() != input_len) {
            return Err(ort::Error::new("a tensor does not have the network's input shape"));
        }
        if !self.buffers.contains_key(&size) {
            let buffers = self.allocate_buffers(size)?;
            self.buffers.insert(size, buffers);
        }
        let missing = || ort::Error::new("the buffers of this batch size are missing");
        let buffers = self.buffers.get_mut(&size).ok_or_else(missing)?;
        let (_, input) = buffers.input.extract_tensor_mut();
        for (slot, tensor) in input.chunks_mut(input_len).zip(batch) {
            slot.copy_from_slice(tensor);
        }
        // Bound again for each run: on a GPU, binding copies the input to the device.
        buffers.binding.bind_input(&self.names.input, &buffers.input)?;
        self.session.run_binding(&buffers.binding)?;
        buffers.binding.synchronize_outputs()?;
        let (_, masks) = buffers.mask.extract_tensor();
        let slices = buffers.slice.as_ref().map_or(&[][..], |slice| slice.extract_tensor().1);
        let logits = |index: usize| Logits {
            mask: masks[index * height * width..][..height * width].to_vec(),
            slice: slices
                .get(index * self.slice_len..(index + 1) * self.slice_len)
                .unwrap_or_default()
                .to_vec(),
        };
        Ok((0..batch.len()).map(logits).collect())
    }

    fn allocate_buffers(&self, size: usize) -> ort::Result<Buffers> {
        let [_, channels, height, width] = self.shape;
        let (into, out_of) =
            (self.allocator(MemoryType::CPUInput)?, self.allocator(MemoryType::CPUOutput)?);
        let input = Tensor::<f32>::new(&into, [size, channels, height, width])?;
        let mut mask = Tensor::<f32>::new(&out_of, [size, 1, height, width])?;
        let mut binding = self.session.create_binding()?;
        binding.bind_output(&self.names.mask, &mut mask)?;
        let slice = match &self.names.slice {
            Some(name) => {
                let mut slice = Tensor::<f32>::new(&out_of, [size, self.slice_len])?;
                binding.bind_output(name, &mut slice)?;
                Some(slice)
            }
            None => None,
        };
        Ok(Buffers { binding, input, mask, slice })
    }

    /// Allocator of the buffers: pinned memory if the session is on a GPU, else ordinary memory.
    fn allocator(&self, kind: MemoryType) -> ort::Result<Allocator> {
        if !self.on_gpu {
            return Ok(Allocator::default());
        }
        let pinned =
            MemoryInfo::new(AllocationDevice::CUDA_PINNED, 0, AllocatorType::Device, kind)?;
        Allocator::new(&self.session, pinned)
    }
}

/// Size of the next batch if `remaining` slices are left.
///
/// Only powers of two are used, because each size has its own buffers and, on a GPU, its own search for the fastest
/// convolution algorithms. A GPU rounds up, since unused slots cost it little. The CPU rounds down, since an unused
/// slot takes as long as a slice.
fn batch_size(remaining: usize, on_gpu: bool) -> usize {
    let rounded_up = remaining.next_power_of_two();
    if on_gpu || rounded_up == remaining { rounded_up } else { rounded_up / 2 }
}

/// The first line of an error message of onnxruntime.
pub(super) fn first_line<R>(error: &ort::Error<R>) -> String {
    error.message().lines().next().unwrap_or("onnxruntime failed").to_owned()
}

#[cfg(test)]
mod tests {
    use super::batch_size;

    #[test]
    fn batches_are_powers_of_two() {
        let sizes = |mut remaining: usize, on_gpu| {
            let mut sizes = Vec::new();
            while remaining > 0 {
                sizes.push(batch_size(remaining, on_gpu));
                remaining = remaining.saturating_sub(batch_size(remaining, on_gpu));
            }
            sizes
        };
        assert_eq!(sizes(7, false), [4, 2, 1]);
        assert_eq!(sizes(7, true), [8]);
        assert_eq!(sizes(16, true), [16]);
        assert_eq!(sizes(1, false), [1]);
        assert_eq!(sizes(33, false), [32, 1]);
    }
}
