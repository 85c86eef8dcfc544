//! Names and shapes of a network's tensors, as the caller expects them.

/// The input and the outputs of a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IoSpec {
    /// Name of the input tensor.
    pub input: String,
    /// Shape of the input tensor: batch (always 1), channels, height, width.
    pub input_shape: [usize; 4],
    /// Name of the output tensor with the mask logits, of shape `[1, 1, height, width]`.
    pub mask: String,
    /// The output tensor with the logits of the whole slice, if the network has one.
    pub slice: Option<SliceOutput>,
}

/// An output tensor with logits of the whole slice, of shape `[1, len]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SliceOutput {
    /// Name of the output tensor.
    pub name: String,
    /// Number of logits.
    pub len: usize,
}

impl IoSpec {
    /// Number of values of the input tensor.
    pub fn input_len(&self) -> usize {
        self.input_shape.iter().product()
    }

    /// Number of mask logits.
    pub fn mask_len(&self) -> usize {
        self.input_shape[2] * self.input_shape[3]
    }

    /// Number of slice logits; 0 if there is no slice output.
    pub fn slice_len(&self) -> usize {
        self.slice.as_ref().map_or(0, |slice| slice.len)
    }
}
