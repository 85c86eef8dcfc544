// Directions and lengths in the patient's coordinates (DICOM PS3.3 C.7.6.2.1.1): mm, x to the patient's left,
// y to the back, z to the head.

const TOWARDS = [['L', 'R'], ['P', 'A'], ['H', 'F']]; // the letters of PS3.3 C.7.6.1.1.1, along and against the axis
const OBLIQUE = 0.25; // a direction's share of an axis from which the axis is named (about 15 degrees)

/** Letters of where a direction points, the largest part first, as `L` or `PL`. */
export function letters(direction) {
  return direction
    .map((value, axis) => ({ size: Math.abs(value), letter: TOWARDS[axis][value > 0 ? 0 : 1] }))
    .filter(({ size }) => size >= OBLIQUE)
    .sort((a, b) => b.size - a.size)
    .map(({ letter }) => letter)
    .join('');
}

/** Letters at the four edges of a slice, or null where the file says nothing of its place. */
export function edgeLetters(placement) {
  if (!placement) return null;
  const against = (direction) => direction.map((value) => -value);
  return {
    right: letters(placement.row),
    left: letters(against(placement.row)),
    bottom: letters(placement.column),
    top: letters(against(placement.column)),
  };
}

/** A round length {mm, px of the screen} that takes between a twelfth and a quarter of `widthPx`, or null. */
export function scaleBar(spacing, scale, widthPx) {
  if (!spacing) return null;
  const pxPerMm = scale / spacing[1];
  const most = widthPx / 4 / pxPerMm;
  const decade = 10 ** Math.floor(Math.log10(most));
  const mm = [5, 2, 1].map((step) => step * decade).find((length) => length <= most);
  return { mm, px: mm * pxPerMm };
}

/** Length between two points {x, y} of a slice: {px, mm | null}. */
export function distance(a, b, spacing) {
  const [dx, dy] = [b.x - a.x, b.y - a.y];
  return { px: Math.hypot(dx, dy), mm: spacing ? Math.hypot(dx * spacing[1], dy * spacing[0]) : null };
}

/**
 * Voxel (column, row, slice) to NIfTI's world (x right, y front, z up), three rows of four, and whether the
 * slices lie evenly: of unevenly spaced ones it holds the mean step. Null without positions or spacing.
 */
export function affineOf(slices) {
  const [first, last] = [slices[0], slices.at(-1)];
  if (!slices.every(({ placement }) => placement) || !first.spacing) return null;
  const { row, column, position_mm: origin } = first.placement;
  const normal = [1, 2, 0].map((b) => row[b] * column[(b + 1) % 3] - row[(b + 1) % 3] * column[b]);
  const step = slices.length > 1
    ? last.placement.position_mm.map((mm, axis) => (mm - origin[axis]) / (slices.length - 1))
    : normal.map((value) => value * (first.extentMm ?? 1));
  const off = slices.map(({ placement }, at) =>
    Math.hypot(...placement.position_mm.map((mm, axis) => mm - origin[axis] - step[axis] * at)));
  const even = Math.max(...off) <= Math.max(0.1, 0.02 * Math.hypot(...step));
  const rows = [0, 1, 2].map((axis) => {
    const sign = axis < 2 ? -1 : 1; // DICOM's x and y point left and back, NIfTI's right and front
    return [row[axis] * first.spacing[1], column[axis] * first.spacing[0], step[axis], origin[axis]].map((value) => sign * value);
  });
  return { rows, even };
}
