// Directions and lengths in patient coordinates (DICOM PS3.3 C.7.6.2.1.1): mm, x to the patient's left, y to the back,
// z to the head.

const AXIS_LETTERS = [['L', 'R'], ['P', 'A'], ['H', 'F']]; // letters of PS3.3 C.7.6.1.1.1, along and against the axis
const MIN_COSINE = 0.25; // an axis is named from about 15 degrees out of the perpendicular plane

/** Letters of a direction, the largest component first, such as `L` or `PL`. @param {number[]} direction */
export function directionLetters(direction) {
  return direction
    .map((value, axis) => ({ size: Math.abs(value), letter: AXIS_LETTERS[axis][value > 0 ? 0 : 1] }))
    .filter(({ size }) => size >= MIN_COSINE)
    .sort((a, b) => b.size - a.size)
    .map(({ letter }) => letter)
    .join('');
}

/** Letters at the four edges of a slice; null without a placement. @param {Placement | null} placement */
export function edgeLetters(placement) {
  if (!placement) return null;
  const negate = (/** @type {number[]} */ direction) => direction.map((value) => -value);
  return {
    right: directionLetters(placement.row),
    left: directionLetters(negate(placement.row)),
    bottom: directionLetters(placement.column),
    top: directionLetters(negate(placement.column)),
  };
}

/** A round length of a twelfth to a quarter of `widthPx`, in mm and screen px; null without spacing. @param {[number, number] | null} spacing @param {number} scale @param {number} widthPx */
export function scaleBar(spacing, scale, widthPx) {
  if (!spacing) return null;
  const pxPerMm = scale / spacing[1];
  const maxMm = widthPx / 4 / pxPerMm;
  const decade = 10 ** Math.floor(Math.log10(maxMm));
  const mm = [5, 2, 1].map((step) => step * decade).find((length) => length <= maxMm) ?? decade;
  return { mm, px: mm * pxPerMm };
}

/** Distance of two points of a slice. @param {Point} a @param {Point} b @param {[number, number] | null} spacing */
export function distance(a, b, spacing) {
  const [dx, dy] = [b.x - a.x, b.y - a.y];
  return { px: Math.hypot(dx, dy), mm: spacing ? Math.hypot(dx * spacing[1], dy * spacing[0]) : null };
}

/**
 * Three rows of four that map a voxel (column, row, slice) to NIfTI's world (x right, y front, z up), and whether slices
 * are evenly spaced; where not, the rows hold the mean step. Null without positions or spacing.
 * @param {Slice[]} slices
 */
export function affineOf(slices) {
  const placements = slices.flatMap(({ placement }) => (placement ? [placement] : []));
  const [{ spacing, extentMm }] = slices;
  if (placements.length < slices.length || !spacing) return null;
  const { row, column, position_mm: origin } = placements[0];
  const normal = [1, 2, 0].map((b) => row[b] * column[(b + 1) % 3] - row[(b + 1) % 3] * column[b]);
  const step = slices.length > 1
    ? placements[placements.length - 1].position_mm.map((mm, axis) => (mm - origin[axis]) / (slices.length - 1))
    : normal.map((value) => value * (extentMm ?? 1));
  const deviations = placements.map(({ position_mm: position }, index) =>
    Math.hypot(...position.map((mm, axis) => mm - origin[axis] - step[axis] * index)));
  const isEven = Math.max(...deviations) <= Math.max(0.1, 0.02 * Math.hypot(...step));
  const rows = [0, 1, 2].map((axis) => {
    const sign = axis < 2 ? -1 : 1; // DICOM's x and y point left and back, NIfTI's right and front
    return [row[axis] * spacing[1], column[axis] * spacing[0], step[axis], origin[axis]].map((value) => sign * value);
  });
  return { rows, isEven };
}
