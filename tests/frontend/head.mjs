// A generated head in Hounsfield units as NIfTI, with an ellipsoid of blood on the patient's left and no symmetry that
// could hide a flip. The same head as in the Rust tests.

import { gunzipSync, gzipSync } from 'node:zlib';

export const SIZE = { columns: 160, rows: 176, slices: 6 };
/** Distances between columns, rows and slices, mm. */
export const STEPS_MM = [1.25, 1.2, 6];
/** Position of the first sample: x to the left, y to the back, z to the head, mm. */
const ORIGIN_MM = [-100.5, -110.25, -40];

/** Hounsfield units of one voxel. */
export function hounsfield(column, row, slice, slices = SIZE.slices) {
  const at = [column / SIZE.columns - 0.5, row / SIZE.rows - 0.5, slice / (slices - 1) - 0.5];
  const inside = (centre, radius) => at.reduce((sum, value, axis) => sum + ((value - centre[axis]) / radius[axis]) ** 2, 0) < 1;
  // Noise, the same at every run.
  const grain = (column * 7919 + row * 104_729 + slice * 1_299_709) % 13;
  if (inside([0.16, 0.05, 0], [0.09, 0.13, 0.45])) return 66 + grain;
  if (inside([0.05, -0.02, 0], [0.03, 0.09, 0.5])) return 2 + grain;
  if (inside([0, 0, 0], [0.35, 0.41, 1])) return 28 + grain;
  return inside([0, 0, 0], [0.39, 0.45, 1.1]) ? 1000 : -1000;
}

/** A gzipped NIfTI-1 file. Along `flipped` axes the voxels are stored in reverse order, at the same place. */
export function headNifti({ flipped = [false, false, false], slices = SIZE.slices, placed = true } = {}) {
  const sizes = [SIZE.columns, SIZE.rows, slices];
  const header = Buffer.alloc(352);
  header.writeInt32LE(348, 0);
  [3, ...sizes, 1, 1, 1, 1].forEach((size, at) => header.writeInt16LE(size, 40 + 2 * at));
  header.writeInt16LE(4, 70);
  header.writeInt16LE(16, 72);
  [1, ...STEPS_MM].forEach((size, at) => header.writeFloatLE(size, 76 + 4 * at));
  header.writeFloatLE(352, 108);
  header.writeFloatLE(1, 112);
  header[123] = 2;
  header.writeInt16LE(placed ? 1 : 0, 254);
  sizes.forEach((size, axis) => {
    const toWorld = axis < 2 ? -1 : 1; // DICOM's x and y point left and back, NIfTI's right and front
    const [step, start] = flipped[axis] ? [-STEPS_MM[axis], STEPS_MM[axis] * (size - 1)] : [STEPS_MM[axis], 0];
    header.writeFloatLE(toWorld * step, 280 + 16 * axis + 4 * axis);
    header.writeFloatLE(toWorld * (ORIGIN_MM[axis] + start), 280 + 16 * axis + 12);
  });
  header.write('n+1\0', 344, 'latin1');
  const voxels = Buffer.alloc(2 * SIZE.columns * SIZE.rows * slices);
  let to = 0;
  for (let k = 0; k < slices; k += 1) {
    for (let j = 0; j < SIZE.rows; j += 1) {
      for (let i = 0; i < SIZE.columns; i += 1) {
        const place = [i, j, k].map((value, axis) => (flipped[axis] ? sizes[axis] - 1 - value : value));
        to = voxels.writeInt16LE(hounsfield(...place, slices), to);
      }
    }
  }
  return gzipSync(Buffer.concat([header, voxels]), { level: 1 });
}

export const headFile = (options) => ({ name: 'head.nii.gz', mimeType: 'application/gzip', buffer: headNifti(options) });

/** The head at 512 x 512 as NIfTI, with noise that compresses no better than a scanner's. */
export function headOf512(slices) {
  const side = 512;
  const header = Buffer.from(gunzipSync(headNifti({ slices: 2 }))).subarray(0, 352);
  [side, side, slices].forEach((size, axis) => header.writeInt16LE(size, 42 + 2 * axis));
  [0.4, 0.4].forEach((size, axis) => {
    header.writeFloatLE(size, 80 + 4 * axis);
    header.writeFloatLE(-size, 280 + 20 * axis);
  });
  const voxels = Buffer.alloc(2 * side * side * slices);
  let [to, seed] = [0, 1];
  for (let k = 0; k < slices; k += 1) {
    for (let j = 0; j < side; j += 1) {
      for (let i = 0; i < side; i += 1) {
        seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
        const value = hounsfield(Math.floor((i * SIZE.columns) / side), Math.floor((j * SIZE.rows) / side), k, Math.max(2, slices));
        to = voxels.writeInt16LE(value + (value > -500 ? (seed >>> 24) % 16 : 0), to);
      }
    }
  }
  return { name: 'head512.nii.gz', mimeType: 'application/gzip', buffer: gzipSync(Buffer.concat([header, voxels]), { level: 1 }) };
}
