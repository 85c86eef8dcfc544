//! Three-dimensional vectors: positions in patient coordinates, mm, and directions.

/// Scalar product `a . b`.
#[inline]
pub fn dot(a: [f64; 3], b: [f64; 3]) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

/// Vector product `a x b`.
#[inline]
pub fn cross(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
}

/// Difference `a - b`.
#[inline]
pub fn minus(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    [a[0] - b[0], a[1] - b[1], a[2] - b[2]]
}

/// Linear combination `origin + s * a + t * b + u * c`.
#[inline]
pub fn scaled_sum(
    origin: [f64; 3],
    (s, a): (f64, [f64; 3]),
    (t, b): (f64, [f64; 3]),
    (u, c): (f64, [f64; 3]),
) -> [f64; 3] {
    std::array::from_fn(|i| origin[i] + s * a[i] + t * b[i] + u * c[i])
}

/// The unit vector in the direction of `a`; `None` if its length is below 1e-9, NaN or infinite.
pub fn normalised(a: [f64; 3]) -> Option<[f64; 3]> {
    let length = dot(a, a).sqrt();
    (length.is_finite() && length > 1e-9).then(|| a.map(|v| v / length))
}
