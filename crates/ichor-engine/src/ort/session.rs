//! A network in onnxruntime's memory: batches of a few sizes, each with buffers that are kept.

use crate::IoSpec;
use crate::Logits;
use crate::{Error, Result};
use ort::memory::{AllocationDevice, Allocator, AllocatorType, MemoryInfo, MemoryType};
use ort::session::{IoBinding, Session};
use ort::value::Tensor;
use std::collections::BTreeMap;

/// A session and the buffers of each batch size that it has seen.
pub(super) struct BatchSession {
    session: Session,
    shape: [usize; 4],
    names: Names,
    slice_len: usize,
    on_card: bool,
    buffers: BTreeMap<usize, Buffers>,
}

struct Names {
    input: String,
    mask: String,
    slice: Option<String>,
}

/// Bound to the session once; on a card they lie in memory that it copies from by itself.
struct Buffers {
    binding: IoBinding,
    input: Tensor<f32>,
    mask: Tensor<f32>,
    slice: Option<Tensor<f32>>,
}

impl BatchSession {
    /// Wraps a session of a network of `spec`; `on_card` says where it computes.
    ///
    /// # Errors
    /// In words, where its inputs and outputs are not those of the spec.
    pub(super) fn new(
        session: Session,
        spec: &IoSpec,
        on_card: bool,
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
            return Err("the network's inputs or outputs are not those that model.json names");
        }
        let slice_len = spec.slice_len();
        let (shape, buffers) = (spec.input_shape, BTreeMap::new());
        Ok(Self { session, shape, names, slice_len, on_card, buffers })
    }

    /// Computes a batch; answers come in its order.
    ///
    /// # Errors
    /// [`Error::Run`].
    pub(super) fn run(&mut self, tensors: &[&[f32]]) -> Result<Vec<Logits>> {
        let mut logits = Vec::with_capacity(tensors.len());
        let mut rest = tensors;
        while !rest.is_empty() {
            let size = batch_size(rest.len(), self.on_card);
            let (batch, later) = rest.split_at(size.min(rest.len()));
            let computed = self.run_sized(batch, size);
            logits.extend(computed.map_err(|error| Error::Run(said(&error)))?);
            rest = later;
        }
        Ok(logits)
    }

    fn run_sized(&mut self, batch: &[&[f32]], size: usize) -> ort::Result<Vec<Logits>> {
        let [_, channels, height, width] = self.shape;
        let input_len = channels * height * width;
        if batch.iter().any(|tensor| tensor.len() != input_len) {
            return Err(ort::Error::new("a tensor does not have the network's input shape"));
        }
        if !self.buffers.contains_key(&size) {
            let made = self.make_buffers(size)?;
            self.buffers.insert(size, made);
        }
        let missing = || ort::Error::new("the buffers are gone");
        let buffers = self.buffers.get_mut(&size).ok_or_else(missing)?;
        let (_, room) = buffers.input.extract_tensor_mut();
        for (place, tensor) in room.chunks_mut(input_len).zip(batch) {
            place.copy_from_slice(tensor);
        }
        // Bound anew each time: on a card this is what copies the numbers over.
        buffers.binding.bind_input(&self.names.input, &buffers.input)?;
        self.session.run_binding(&buffers.binding)?;
        buffers.binding.synchronize_outputs()?;
        let (_, masks) = buffers.mask.extract_tensor();
        let slices = buffers.slice.as_ref().map_or(&[][..], |slice| slice.extract_tensor().1);
        let of = |index: usize| Logits {
            mask: masks[index * height * width..][..height * width].to_vec(),
            slice: slices
                .get(index * self.slice_len..(index + 1) * self.slice_len)
                .unwrap_or_default()
                .to_vec(),
        };
        Ok((0..batch.len()).map(of).collect())
    }

    fn make_buffers(&self, size: usize) -> ort::Result<Buffers> {
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

    /// Memory that both sides reach: pinned, where the network is on a card.
    fn allocator(&self, kind: MemoryType) -> ort::Result<Allocator> {
        if !self.on_card {
            return Ok(Allocator::default());
        }
        let pinned =
            MemoryInfo::new(AllocationDevice::CUDA_PINNED, 0, AllocatorType::Device, kind)?;
        Allocator::new(&self.session, pinned)
    }
}

/// Size of the next batch of `left` slices. Powers of two only, as each size has buffers of its own
/// and, on a card, a search for the fastest convolutions. A card computes a few empty slices with the
/// others; on the processor they would cost as much as full ones, so there the rest goes alone.
fn batch_size(left: usize, on_card: bool) -> usize {
    let enough = left.next_power_of_two();
    if on_card || enough == left { enough } else { enough / 2 }
}

/// What onnxruntime said, without what follows its first line.
pub(super) fn said<R>(error: &ort::Error<R>) -> String {
    error.message().lines().next().unwrap_or("onnxruntime failed").to_owned()
}

#[cfg(test)]
mod tests {
    use super::batch_size;

    #[test]
    fn batches_are_powers_of_two() {
        let sizes = |mut left: usize, on_card| {
            let mut sizes = Vec::new();
            while left > 0 {
                sizes.push(batch_size(left, on_card));
                left = left.saturating_sub(batch_size(left, on_card));
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
