//! What a caller knows of a network: names and shapes of its tensors.

/// The input and the outputs that a caller uses of a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IoSpec {
    /// Name of the input tensor.
    pub input: String,
    /// Shape of the input: batch (1), channels, height, width.
    pub input_shape: [usize; 4],
    /// Name of the mask logits, of shape 1, 1, height, width.
    pub mask: String,
    /// The logits of the whole slice, where the network has them.
    pub slice: Option<SliceOutput>,
}

/// Logits of the whole slice, of shape 1, `len`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SliceOutput {
    /// Name of the tensor.
    pub name: String,
    /// Number of logits.
    pub len: usize,
}

impl IoSpec {
    /// Number of input values.
    pub fn input_len(&self) -> usize {
        self.input_shape.iter().product()
    }

    /// Number of mask logits.
    pub fn mask_len(&self) -> usize {
        self.input_shape[2] * self.input_shape[3]
    }

    /// Number of slice logits; 0 without a slice output.
    pub fn slice_len(&self) -> usize {
        self.slice.as_ref().map_or(0, |slice| slice.len)
    }
}
