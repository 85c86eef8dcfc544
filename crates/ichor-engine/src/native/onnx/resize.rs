//! Conversion of `Resize` over rows and columns.

use super::super::messages::NodeProto;
use super::Reader;
use super::attributes::Attributes;
use super::operators::BindingResult;
use crate::native::LoadError;
use crate::native::graph::{Clamp, LerpTap, Op, Shape};

/// Maximum number of output rows and of output columns.
const MAX_SIDE: usize = 1 << 14;

impl<'a> Reader<'a> {
    pub(super) fn resize(
        &mut self,
        node: &NodeProto,
        attributes: &Attributes<'_>,
    ) -> BindingResult<'a> {
        let (input, shape) = self.image(node, 0)?;
        // Used by cubic interpolation and by cropping only, which are not supported.
        attributes.ignore(&["cubic_coeff_a", "extrapolation_value"]);
        let mode = attributes.string("mode", "nearest");
        let coordinates = attributes.string("coordinate_transformation_mode", "half_pixel");
        let nearest = attributes.string("nearest_mode", "round_prefer_floor");
        let linear = match (mode, coordinates, nearest) {
            ("linear", "half_pixel", _) => true,
            ("nearest", "asymmetric", "floor") => false,
            _ => return Err(LoadError::new("is not supported in this mode")),
        };
        if attributes.integer("antialias", 0) != 0 || attributes.integer("exclude_outside", 0) != 0
        {
            return Err(LoadError::new("is not supported in this mode"));
        }
        let sizes = [shape.height, shape.width];
        let (out, scales) = match (self.constant(node, 2)?, self.constant(node, 3)?) {
            (Some(scales), None) => from_scales(&scales.floats()?, sizes)?,
            (None, Some(out)) => from_sizes(&out.integers()?, shape)?,
            _ => return Err(LoadError::new("does not have either scales or sizes")),
        };
        if out.iter().any(|&n| n == 0 || n > MAX_SIDE) {
            return Err(LoadError::new("has an output that is empty or too large"));
        }
        let taps = |axis: usize| lerp_taps(linear, sizes[axis], out[axis], scales[axis]);
        let op = Op::Resize { rows: taps(0), columns: taps(1) };
        let shape = Shape { height: out[0], width: out[1], ..shape };
        self.push_step(op, vec![input], Clamp::NONE, shape, false)
    }
}

/// Output size and scale of rows and columns.
type SizeAndScale = ([usize; 2], [f64; 2]);

fn from_scales(scales: &[f32], sizes: [usize; 2]) -> Result<SizeAndScale, LoadError> {
    let &[1.0, 1.0, rows, columns] = scales else {
        return Err(LoadError::new("scales axes other than rows and columns"));
    };
    if ![rows, columns].iter().all(|s| (1.0 / 64.0..=64.0).contains(s)) {
        return Err(LoadError::new("has a scale outside of 1/64 to 64"));
    }
    let scales = [f64::from(rows), f64::from(columns)];
    Ok(([0, 1].map(|axis| (sizes[axis] as f64 * scales[axis]).floor() as usize), scales))
}

fn from_sizes(out: &[i64], shape: Shape) -> Result<SizeAndScale, LoadError> {
    let small = |&n: &i64| usize::try_from(n).ok().filter(|n| (1..=MAX_SIDE).contains(n));
    match out.iter().map(small).collect::<Option<Vec<_>>>().as_deref() {
        Some(&[1, channels, rows, columns]) if channels == shape.channels => {
            let scales = [rows as f64 / shape.height as f64, columns as f64 / shape.width as f64];
            Ok(([rows, columns], scales))
        }
        _ => Err(LoadError::new("has an unsupported output size")),
    }
}

/// The taps of each of `len_out` output pixels on a line of `len` input pixels.
fn lerp_taps(linear: bool, len: usize, len_out: usize, scale: f64) -> Vec<LerpTap> {
    let last = len.saturating_sub(1);
    let tap = |pixel: usize| {
        if !linear {
            let first = ((pixel as f64 / scale).floor() as usize).min(last);
            return LerpTap { first, second: first, weight: 0.0 };
        }
        let at = ((pixel as f64 + 0.5) / scale - 0.5).clamp(0.0, last as f64);
        let first = at.floor() as usize;
        LerpTap { first, second: (first + 1).min(last), weight: (at - at.floor()) as f32 }
    };
    (0..len_out).map(tap).collect()
}
