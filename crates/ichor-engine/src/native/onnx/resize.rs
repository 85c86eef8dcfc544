//! `Resize` of rows and columns.

use super::super::messages::NodeProto;
use super::Reader;
use super::attributes::Attributes;
use super::operators::Read;
use crate::native::Refusal;
use crate::native::graph::{Between, Clamp, Op, Shape};

/// Rows or columns that an image may be resized to.
const LONGEST_SIDE: usize = 1 << 14;

impl<'a> Reader<'a> {
    pub(super) fn resize(&mut self, node: &NodeProto, attributes: &Attributes<'_>) -> Read<'a> {
        let (input, shape) = self.image(node, 0)?;
        // Of cubic interpolation and of cropping, neither of which is known here.
        attributes.ignore(&["cubic_coeff_a", "extrapolation_value"]);
        let mode = attributes.text("mode", "nearest");
        let place = attributes.text("coordinate_transformation_mode", "half_pixel");
        let nearest = attributes.text("nearest_mode", "round_prefer_floor");
        let linear = match (mode, place, nearest) {
            ("linear", "half_pixel", _) => true,
            ("nearest", "asymmetric", "floor") => false,
            _ => return Err(Refusal::new("is not known in this mode")),
        };
        if attributes.integer("antialias", 0) != 0 || attributes.integer("exclude_outside", 0) != 0
        {
            return Err(Refusal::new("is not known in this mode"));
        }
        let sizes = [shape.height, shape.width];
        let (wanted, scales) = match (self.constant(node, 2)?, self.constant(node, 3)?) {
            (Some(scales), None) => by_scale(&scales.floats()?, sizes)?,
            (None, Some(wanted)) => by_size(&wanted.integers()?, shape)?,
            _ => return Err(Refusal::new("names no size")),
        };
        if wanted.iter().any(|&n| n == 0 || n > LONGEST_SIDE) {
            return Err(Refusal::new("makes an image that is empty or too large"));
        }
        let line = |axis: usize| between(linear, sizes[axis], wanted[axis], scales[axis]);
        let op = Op::Resize { rows: line(0), columns: line(1) };
        let shape = Shape { height: wanted[0], width: wanted[1], ..shape };
        self.step(op, vec![input], Clamp::NONE, shape, false)
    }
}

type SizeAndScale = ([usize; 2], [f64; 2]);

fn by_scale(scales: &[f32], sizes: [usize; 2]) -> Result<SizeAndScale, Refusal> {
    let &[1.0, 1.0, rows, columns] = scales else {
        return Err(Refusal::new("scales other axes than rows and columns"));
    };
    if ![rows, columns].iter().all(|s| (1.0 / 64.0..=64.0).contains(s)) {
        return Err(Refusal::new("scales by more than 64"));
    }
    let scales = [f64::from(rows), f64::from(columns)];
    Ok(([0, 1].map(|axis| (sizes[axis] as f64 * scales[axis]).floor() as usize), scales))
}

fn by_size(wanted: &[i64], shape: Shape) -> Result<SizeAndScale, Refusal> {
    let small = |&n: &i64| usize::try_from(n).ok().filter(|n| (1..=LONGEST_SIDE).contains(n));
    match wanted.iter().map(small).collect::<Option<Vec<_>>>().as_deref() {
        Some(&[1, channels, rows, columns]) if channels == shape.channels => {
            let scales = [rows as f64 / shape.height as f64, columns as f64 / shape.width as f64];
            Ok(([rows, columns], scales))
        }
        _ => Err(Refusal::new("names a size that is not known to work")),
    }
}

/// Where each of `wanted` pixels lies on a line of `length`.
fn between(linear: bool, length: usize, wanted: usize, scale: f64) -> Vec<Between> {
    let last = length.saturating_sub(1);
    let place = |pixel: usize| {
        if !linear {
            let first = ((pixel as f64 / scale).floor() as usize).min(last);
            return Between { first, second: first, share: 0.0 };
        }
        let place = ((pixel as f64 + 0.5) / scale - 0.5).clamp(0.0, last as f64);
        let first = place.floor() as usize;
        Between { first, second: (first + 1).min(last), share: (place - place.floor()) as f32 }
    };
    (0..wanted).map(place).collect()
}
