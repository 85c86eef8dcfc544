// Joins regions that touch across adjacent slices into lesions. A single slice is a study of one.

import { DisjointSets, meanProbability, areAdjacent } from './regions.js';

/**
 * Lesions, largest first; area and centroid are those of the key slice, where the lesion is largest.
 * @param {Slice[]} slices @param {(Region[] | undefined)[]} regions one list per slice, undefined where not computed
 * @param {(slice: number) => Uint8Array | null} probabilitiesOf @returns {Lesion[]}
 */
export function connectLesions(slices, regions, probabilitiesOf) {
  const parts = regions.flatMap((list, slice) => (list ?? []).map((region) => ({ slice, region })));
  const sets = new DisjointSets();
  parts.forEach(() => sets.add());
  /** @type {number[]} */
  let lower = [];
  /** @type {number[]} */
  let current = [];
  parts.forEach((part, at) => {
    if (current.length && parts[current[0]].slice !== part.slice) [lower, current] = [current, []];
    current.push(at);
    const adjacent = lower.filter((other) => parts[other].slice === part.slice - 1);
    const shift = adjacent.length ? shiftPx(slices[part.slice - 1], slices[part.slice]) : null;
    if (!shift) return;
    for (const other of adjacent) if (areAdjacent(part.region, parts[other].region, shift)) sets.union(at, other);
  });
  const lesions = [...groupParts(parts, sets).values()].map((group) => describeLesion(group, slices, probabilitiesOf));
  lesions.sort((a, b) => (b.volumeMl ?? 0) - (a.volumeMl ?? 0) || b.voxels - a.voxels);
  return lesions.map((lesion, at) => ({ ...lesion, id: at + 1 }));
}

/** @param {LesionPart[]} parts @param {DisjointSets} sets @returns {Map<number, LesionPart[]>} */
function groupParts(parts, sets) {
  const groups = new Map();
  parts.forEach((part, at) => {
    const root = sets.find(at);
    if (groups.has(root)) groups.get(root).push(part);
    else groups.set(root, [part]);
  });
  return groups;
}

/**
 * Columns and rows from a pixel of `upper` to the pixel of `lower` straight below it (a tilted gantry shifts slices
 * against each other); null where the two differ in size.
 * @param {Slice} lower @param {Slice} upper @returns {[number, number] | null}
 */
export function shiftPx(lower, upper) {
  if (lower.width !== upper.width || lower.height !== upper.height) return null;
  if (!lower.placement || !upper.placement || !lower.spacing) return [0, 0];
  const { position_mm: origin } = lower.placement;
  const step = upper.placement.position_mm.map((mm, axis) => mm - origin[axis]);
  const along = (/** @type {number[]} */ direction, /** @type {number} */ mm) => Math.round(step.reduce((sum, value, axis) => sum + value * direction[axis], 0) / mm);
  return [along(lower.placement.row, lower.spacing[1]), along(lower.placement.column, lower.spacing[0])];
}

/** The spacing to measure with; null where it is unknown or implausible. @param {Slice} slice */
export const usableSpacing = ({ spacing, hasImplausibleSpacing = false }) => (hasImplausibleSpacing ? null : spacing);

/** Area of one pixel in mm², or null. @param {Slice} slice */
export function pixelMm2(slice) {
  const spacing = usableSpacing(slice);
  return spacing ? spacing[0] * spacing[1] : null;
}

/** @param {LesionPart[]} parts @param {Slice[]} slices @param {(slice: number) => Uint8Array | null} probabilitiesOf */
function describeLesion(parts, slices, probabilitiesOf) {
  const areas = new Map();
  for (const { slice, region } of parts) areas.set(slice, (areas.get(slice) ?? 0) + region.area);
  // Of equal areas the first slice.
  const keySlice = [...areas].reduce((best, entry) => (entry[1] > best[1] ? entry : best))[0];
  const keyRegions = parts.filter(({ slice }) => slice === keySlice).map(({ region }) => region);
  const areaPx = areas.get(keySlice);
  const mm2 = pixelMm2(slices[keySlice]);
  const centroidAlong = (axis) => keyRegions.reduce((sum, { centroid, area }) => sum + centroid[axis] * area, 0) / areaPx;
  const volumes = parts.map(({ slice, region }) => {
    const [pixel, { extentMm }] = [pixelMm2(slices[slice]), slices[slice]];
    return pixel === null || extentMm === null ? null : (region.area * pixel * extentMm) / 1000;
  });
  const voxels = parts.reduce((sum, { region }) => sum + region.area, 0);
  const weighted = ({ slice, region }) => meanProbability(region, probabilitiesOf(slice), slices[slice].width) * region.area;
  return {
    parts,
    voxels,
    areaPx,
    areaMm2: mm2 === null ? null : areaPx * mm2,
    volumeMl: volumes.reduce((sum, volume) => (sum === null || volume === null ? null : sum + volume), /** @type {number | null} */ (0)),
    keySlice,
    centroid: { x: centroidAlong('x'), y: centroidAlong('y') },
    first: parts[0].slice,
    last: parts[parts.length - 1].slice,
    probability: parts.reduce((sum, part) => sum + weighted(part), 0) / voxels,
  };
}
