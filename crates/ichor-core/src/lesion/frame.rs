//! Which way a head looks on a slice, from the symmetry of the inside of its skull.

/// Directions in which the radius of the inside is measured, 2 degrees apart.
const DIRECTIONS: usize = 180;

/// Largest rotation of the head in the image, in steps of 2 degrees.
const MAX_STEPS: i64 = 12;

/// Added to the mean squared asymmetry per squared step: of two rotations that are about as good, the smaller one is
/// taken. On a round head every rotation is as good as another.
const ROTATION_COST: f64 = 2e-6;

/// The direction of the midline.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Frame {
    /// Rotation of the head, radians: from the image's columns to the patient's left, towards the rows.
    pub angle: f64,
    /// Root mean square difference of the radii on both sides, as a part of the mean radius.
    pub asymmetry: f64,
    /// Length of the inside along the midline by its width across.
    pub length_by_width: f64,
}

impl Frame {
    /// Searches the line through `centroid` on whose sides the inside, where `depth` is above 0, is most alike.
    pub(super) fn from_symmetry(depth: &[u16], width: usize, centroid: [f64; 2]) -> Self {
        let radii: [f64; DIRECTIONS] = std::array::from_fn(|direction| {
            let angle = direction as f64 * std::f64::consts::TAU / DIRECTIONS as f64;
            radius(depth, width, centroid, angle)
        });
        let mean = (radii.iter().sum::<f64>() / DIRECTIONS as f64).max(1.0);
        // Radius towards the front, which is at three quarters of the circle, and `step` directions further.
        let at = |step: i64| {
            radii[(step + 3 * DIRECTIONS as i64 / 4).rem_euclid(DIRECTIONS as i64) as usize]
        };
        let asymmetry = |rotation: i64| {
            let pairs = 1..DIRECTIONS as i64 / 2;
            let square = |step: i64| (at(rotation + step) - at(rotation - step)).powi(2);
            pairs.clone().map(square).sum::<f64>() / pairs.count() as f64 / (mean * mean)
        };
        let cost =
            |rotation: i64| asymmetry(rotation) + ROTATION_COST * (rotation * rotation) as f64;
        let best =
            (-MAX_STEPS..=MAX_STEPS).min_by(|&a, &b| cost(a).total_cmp(&cost(b))).unwrap_or(0);
        let step = std::f64::consts::TAU / DIRECTIONS as f64;
        let quarter = DIRECTIONS as i64 / 4;
        let length = at(best) + at(best + 2 * quarter);
        let width = at(best + quarter) + at(best - quarter);
        Self {
            angle: best as f64 * step,
            asymmetry: asymmetry(best).sqrt(),
            length_by_width: length / width.max(1.0),
        }
    }

    /// Whether the midline was found: the most alike sides are not those of the largest rotation searched.
    pub(super) fn is_known(&self) -> bool {
        let largest = MAX_STEPS as f64 * std::f64::consts::TAU / DIRECTIONS as f64;
        self.angle.abs() < largest - 1e-9
    }

    /// A vector of columns and rows as a vector to the patient's left and to the back.
    pub(super) fn turn(&self, [x, y]: [f64; 2]) -> [f64; 2] {
        let (sin, cos) = self.angle.sin_cos();
        [x * cos + y * sin, y * cos - x * sin]
    }
}

/// Distance from `centroid` to the last pixel of the inside in this direction, px.
fn radius(depth: &[u16], width: usize, centroid: [f64; 2], angle: f64) -> f64 {
    let (sin, cos) = angle.sin_cos();
    let mut last = 0.0;
    for step in 0..width {
        let (x, y) = (centroid[0] + step as f64 * cos, centroid[1] + step as f64 * sin);
        let (column, row) = (x.round(), y.round());
        if column < 0.0 || row < 0.0 || column as usize >= width {
            break;
        }
        match depth.get(row as usize * width + column as usize) {
            Some(0) => {}
            Some(_) => last = step as f64,
            None => break,
        }
    }
    last
}
