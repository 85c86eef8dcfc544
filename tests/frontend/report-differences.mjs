// Compares two reports of the same file, from this device and from the program.

/** Differ between two runs of the same program. */
const VARIES = new Set(['request_id', 'timings_ms', 'base64', 'contour']);
/** Kernels round differently, so that a pixel at the threshold may change its side: relative, and absolute. */
const MAX_DIFFERENCE = [0.005, 0.002];

/** Paths of the fields that differ. */
export function differences(actual, expected, path = '') {
  if (typeof expected === 'number' && typeof actual === 'number') {
    const isClose = Math.abs(actual - expected) <= Math.max(MAX_DIFFERENCE[1], MAX_DIFFERENCE[0] * Math.abs(expected));
    return isClose ? [] : [`${path}: ${actual} for ${expected}`];
  }
  if (expected === null || actual === null || typeof expected !== 'object' || typeof actual !== 'object') {
    return Object.is(actual, expected) ? [] : [`${path}: ${actual} for ${expected}`];
  }
  const names = new Set([...Object.keys(actual), ...Object.keys(expected)]);
  return [...names].filter((name) => !VARIES.has(name))
    .flatMap((name) => (name in actual && name in expected ? differences(actual[name], expected[name], `${path}/${name}`) : [`${path}/${name} is missing`]));
}
