//! Convex hulls of pixels (monotone chain; Andrew 1979, *Another efficient algorithm for convex hulls in two dimensions*).

/// Convex hull of points, each `[column, row]`; counterclockwise where rows point up.
pub fn hull(points: impl Iterator<Item = [i64; 2]>) -> Vec<[i64; 2]> {
    let mut points: Vec<_> = points.collect();
    points.sort_unstable();
    points.dedup();
    if points.len() < 3 {
        return points;
    }
    let mut corners = half_hull(points.iter());
    corners.extend(half_hull(points.iter().rev()));
    corners
}

/// One side of the hull, without its last corner.
fn half_hull<'a>(points: impl Iterator<Item = &'a [i64; 2]>) -> Vec<[i64; 2]> {
    let mut chain: Vec<[i64; 2]> = Vec::new();
    points.for_each(|&point| push_to_chain(&mut chain, point));
    chain.pop();
    chain
}

/// Adds a point to a chain of corners that turns to one side, from the first axis to the second, and removes the corners
/// that no longer do. Points come in the order of one axis.
pub fn push_to_chain(chain: &mut Vec<[i64; 2]>, point: [i64; 2]) {
    while let [.., a, b] = chain[..] {
        if (b[0] - a[0]) * (point[1] - a[1]) - (b[1] - a[1]) * (point[0] - a[0]) > 0 {
            break;
        }
        chain.pop();
    }
    chain.push(point);
}
