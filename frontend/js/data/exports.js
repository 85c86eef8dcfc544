// Creates the files that a visitor can save, at the threshold that is set.

import { createLayer, drawRegions, drawSamples, createOutline } from '../view/layers.js';
import { gzip, maskParts } from './nifti.js';
import { encodeGreyPng } from './png-writer.js';

const LINE_PX = 1.5; // image pixels

/** The mask of one slice, 0 and 255, in the size of the input. @param {Slice} slice @param {Region[]} regions */
export function maskPng({ width, height }, regions) {
  const values = new Uint8Array(width * height);
  for (const { runs } of regions) for (const [y, first, last] of runs) values.fill(255, y * width + first, y * width + last + 1);
  return encodeGreyPng(values, width, height);
}

/** One slice with its overlay, in the size of the input. @param {Slice} slice @param {Region[]} regions @param {{window: Window_, color: string, overlay: Overlay}} style */
export async function overlayPng(slice, regions, { window, color, overlay }) {
  const [base, fill] = [createLayer(), createLayer()];
  drawSamples(base, slice, window);
  const { context, canvas } = base;
  if (overlay.fill) {
    drawRegions(fill, slice, regions, color);
    context.globalAlpha = overlay.opacity;
    context.drawImage(fill.canvas, 0, 0);
    context.globalAlpha = 1;
  }
  context.strokeStyle = color;
  context.lineWidth = LINE_PX;
  if (overlay.outline) for (const region of regions) context.stroke(createOutline(region));
  return canvas.convertToBlob({ type: 'image/png' });
}

/** The masks of all slices as NIfTI. @param {Slice[]} slices @param {(index: number) => Region[]} regionsOf */
export const maskNifti = (slices, regionsOf) => gzip(maskParts(slices, regionsOf));

// Lists of these names are numbers, as the probabilities of the types.
const IMAGE_FIELDS = new Set(['mask', 'overlay', 'probabilities', 'samples']);

/** The API's report without images; with the page's own lesions where the visitor set a threshold. @param {Report} report @param {number | null} threshold @param {Totals} totals */
export function reportJson(report, threshold, totals) {
  /** @type {(value: any) => any} */
  const withoutImages = (value) => (Array.isArray(value) ? value.map(withoutImages)
    : value && typeof value === 'object' ? Object.fromEntries(Object.entries(value).filter(([key, part]) => !IMAGE_FIELDS.has(key) || Array.isArray(part)).map(([key, part]) => [key, withoutImages(part)]))
      : value);
  const atThreshold = threshold === null ? {} : {
    at_threshold: {
      threshold,
      total_volume_ml: report.volume?.total_volume_ml === null ? null : totals.volumeMl,
      lesions: totals.lesions.map((lesion) => ({
        id: lesion.id, voxels: lesion.voxels, volume_ml: lesion.volumeMl, area_mm2: lesion.areaMm2,
        first_slice: lesion.first, last_slice: lesion.last, key_slice: lesion.keySlice, mean_probability: lesion.probability,
      })),
    },
  };
  return new Blob([JSON.stringify({ ...withoutImages(report), ...atThreshold }, null, 1)], { type: 'application/json' });
}
