// Writes volumes as NIfTI-1 (`.nii.gz`). Layout: nifti1.h, https://nifti.nimh.nih.gov/nifti-1

import { affineOf } from './geometry.js';

const HEADER_BYTES = 352;
const TYPES = { uint8: [2, 8], int16: [4, 16] };
const MILLIMETRES = 2;
const SCANNER = 1;

/** @param {Slice[]} slices @param {'uint8' | 'int16'} type */
function createHeader(slices, type) {
  const { rows } = affineOf(slices) ?? { rows: defaultRows(slices[0]) };
  const view = new DataView(new ArrayBuffer(HEADER_BYTES));
  const [code, bits] = TYPES[type];
  view.setInt32(0, 348, true);
  [3, slices[0].width, slices[0].height, slices.length, 1, 1, 1, 1].forEach((size, at) => view.setInt16(40 + 2 * at, size, true));
  view.setInt16(70, code, true);
  view.setInt16(72, bits, true);
  view.setFloat32(76, 1, true);
  for (let axis = 0; axis < 3; axis += 1) view.setFloat32(80 + 4 * axis, Math.hypot(...rows.map((row) => row[axis])), true);
  view.setFloat32(108, HEADER_BYTES, true);
  view.setFloat32(112, 1, true);
  view.setUint8(123, MILLIMETRES);
  // sform only: the quaternion of a qform cannot hold the shear of a tilted gantry.
  view.setInt16(254, SCANNER, true);
  rows.flat().forEach((value, at) => view.setFloat32(280 + 4 * at, value, true));
  [110, 43, 49, 0].forEach((byte, at) => view.setUint8(344 + at, byte)); // "n+1"
  return view.buffer;
}

/** Voxel sizes without a position, 1 mm where unknown; columns to the left, rows to the back, as axial slices are shown. @param {Slice} slice */
function defaultRows({ spacing, extentMm }) {
  const [row, column] = spacing ?? [1, 1];
  return [[-column, 0, 0, 0], [0, -row, 0, 0], [0, 0, extentMm ?? 1, 0]];
}

/** The masks as parts of a NIfTI file of 0 and 1. @param {Slice[]} slices @param {(index: number) => Region[]} regionsOf @returns {any[]} */
export function maskParts(slices, regionsOf) {
  const planes = slices.map(({ width, height }, at) => {
    const plane = new Uint8Array(width * height);
    for (const { runs } of regionsOf(at) ?? []) for (const [y, first, last] of runs) plane.fill(1, y * width + first, y * width + last + 1);
    return plane;
  });
  return [createHeader(slices, 'uint8'), ...planes];
}

/** The samples, Hounsfield units or grey levels, as parts of a NIfTI file. @param {Slice[]} slices @returns {any[]} */
export const samplesParts = (slices) => [createHeader(slices, 'int16'), ...slices.map(({ samples }) => Int16Array.from(/** @type {Samples} */ (samples)))];

/** @param {any[]} parts */
export async function gzip(parts) {
  const stream = new Blob(parts).stream().pipeThrough(new CompressionStream('gzip'));
  return new Blob([await new Response(stream).arrayBuffer()], { type: 'application/gzip' });
}
