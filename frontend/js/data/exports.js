// What a visitor can save, made in the page at the threshold that is set.

import { createLayer, drawRegions, drawSamples, outlineOf } from '../view/raster.js';
import { gzip, maskParts } from './nifti.js';
import { greyPng } from './write-png.js';

const LINE = 1.5; // px of the picture

/** The mask of one slice, 0 and 255, in the input's size. */
export function maskPng({ width, height }, regions) {
  const values = new Uint8Array(width * height);
  for (const { runs } of regions) for (const [y, first, last] of runs) values.fill(255, y * width + first, y * width + last + 1);
  return greyPng(values, width, height);
}

/** One slice with what is outlined on it, in the input's size, as the marks are set. */
export async function overlayPng(slice, regions, { window, color, marks }) {
  const [base, fill] = [createLayer(), createLayer()];
  drawSamples(base, slice, window);
  const { context, canvas } = base;
  if (marks.fill) {
    drawRegions(fill, slice, regions, color);
    context.globalAlpha = marks.opacity;
    context.drawImage(fill.canvas, 0, 0);
    context.globalAlpha = 1;
  }
  context.strokeStyle = color;
  context.lineWidth = LINE;
  if (marks.outline) for (const region of regions) context.stroke(outlineOf(region));
  return canvas.convertToBlob({ type: 'image/png' });
}

/** The masks of all slices as NIfTI. */
export const maskNifti = (slices, regionsOf) => gzip(maskParts(slices, regionsOf));

const PICTURES = new Set(['mask', 'overlay', 'probabilities', 'samples']);

/** The API's answer without pictures, and what the page makes of it where the threshold was moved. */
export function reportJson(report, threshold, sums) {
  const bare = (value) => (Array.isArray(value) ? value.map(bare)
    : value && typeof value === 'object' ? Object.fromEntries(Object.entries(value).filter(([key]) => !PICTURES.has(key)).map(([key, part]) => [key, bare(part)]))
      : value);
  const moved = threshold === null ? {} : {
    at_threshold: {
      threshold,
      total_volume_ml: report.volume?.total_volume_ml === null ? null : sums.volumeMl,
      lesions: sums.lesions.map((lesion) => ({
        id: lesion.id, voxels: lesion.voxels, volume_ml: lesion.volumeMl, area_mm2: lesion.areaMm2,
        first_slice: lesion.first, last_slice: lesion.last, key_slice: lesion.keySlice, mean_probability: lesion.probability,
      })),
    },
  };
  return new Blob([JSON.stringify({ ...bare(report), ...moved }, null, 1)], { type: 'application/json' });
}
