// Lesions of a whole study: regions of neighbouring slices that touch are one. A single slice is a study of one.

import { DisjointSets, meanProbability, touch } from './regions.js';

/**
 * Lesions, largest first. `slices` are the study's, `regions` a list a slice (undefined where none is known yet).
 * Each: {id, parts: [{slice, region}], voxels, volumeMl | null, areaPx, areaMm2 | null, keySlice, centroid, first, last,
 * probability}; area and centroid are those of the key slice, the one of the largest area.
 */
export function connectLesions(slices, regions, probabilitiesOf) {
  const parts = regions.flatMap((list, slice) => (list ?? []).map((region) => ({ slice, region })));
  const sets = new DisjointSets();
  parts.forEach(() => sets.add());
  let below = [];
  let here = [];
  parts.forEach((part, at) => {
    if (here.length && parts[here[0]].slice !== part.slice) [below, here] = [here, []];
    here.push(at);
    const near = below.filter((other) => parts[other].slice === part.slice - 1);
    const shift = near.length ? shiftPx(slices[part.slice - 1], slices[part.slice]) : null;
    for (const other of shift ? near : []) if (touch(part.region, parts[other].region, shift)) sets.join(at, other);
  });
  const lesions = [...groupBy(parts, sets).values()].map((group) => lesionOf(group, slices, probabilitiesOf));
  lesions.sort((a, b) => (b.volumeMl ?? 0) - (a.volumeMl ?? 0) || b.voxels - a.voxels);
  return lesions.map((lesion, at) => ({ ...lesion, id: at + 1 }));
}

function groupBy(parts, sets) {
  const groups = new Map();
  parts.forEach((part, at) => {
    const root = sets.root(at);
    if (groups.has(root)) groups.get(root).push(part);
    else groups.set(root, [part]);
  });
  return groups;
}

/**
 * Columns and rows from a pixel of `upper` to the pixel of `lower` that lies perpendicularly below it (a tilted
 * gantry shifts slices against each other); null where the two differ in size.
 */
export function shiftPx(lower, upper) {
  if (lower.width !== upper.width || lower.height !== upper.height) return null;
  if (!lower.placement || !upper.placement || !lower.spacing) return [0, 0];
  const step = upper.placement.position_mm.map((mm, axis) => mm - lower.placement.position_mm[axis]);
  const along = (direction, mm) => Math.round(step.reduce((sum, value, axis) => sum + value * direction[axis], 0) / mm);
  return [along(lower.placement.row, lower.spacing[1]), along(lower.placement.column, lower.spacing[0])];
}

/** Sizes of a pixel to measure with, mm, or null: where they are unknown, or the server does not believe them. */
export const measuredSpacing = ({ spacing, unmeasurable = false }) => (unmeasurable ? null : spacing);

/** mm² of one pixel, or null. */
export function pixelMm2(slice) {
  const spacing = measuredSpacing(slice);
  return spacing ? spacing[0] * spacing[1] : null;
}

function lesionOf(parts, slices, probabilitiesOf) {
  const areas = new Map();
  for (const { slice, region } of parts) areas.set(slice, (areas.get(slice) ?? 0) + region.area);
  // The first of the largest.
  const keySlice = [...areas].reduce((best, one) => (one[1] > best[1] ? one : best))[0];
  const key = parts.filter(({ slice }) => slice === keySlice).map(({ region }) => region);
  const areaPx = areas.get(keySlice);
  const mm2 = pixelMm2(slices[keySlice]);
  const centre = (axis) => key.reduce((sum, { centroid, area }) => sum + centroid[axis] * area, 0) / areaPx;
  const known = parts.every(({ slice }) => pixelMm2(slices[slice]) !== null && slices[slice].extentMm !== null);
  const volume = ({ slice, region }) => (region.area * pixelMm2(slices[slice]) * slices[slice].extentMm) / 1000;
  const voxels = parts.reduce((sum, { region }) => sum + region.area, 0);
  const weighted = ({ slice, region }) => meanProbability(region, probabilitiesOf(slice), slices[slice].width) * region.area;
  return {
    parts,
    voxels,
    areaPx,
    areaMm2: mm2 === null ? null : areaPx * mm2,
    volumeMl: known ? parts.reduce((sum, part) => sum + volume(part), 0) : null,
    keySlice,
    centroid: { x: centre('x'), y: centre('y') },
    first: parts[0].slice,
    last: parts.at(-1).slice,
    probability: parts.reduce((sum, part) => sum + weighted(part), 0) / voxels,
  };
}
