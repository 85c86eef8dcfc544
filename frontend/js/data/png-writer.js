// Encodes an 8-bit grey PNG; a canvas would make it RGBA.

import { crc32 } from './zip-writer.js';

/** @param {Uint8Array} values one byte per pixel, row by row @param {number} width @param {number} height */
export async function encodeGreyPng(values, width, height) {
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  header[8] = 8; // bit depth; colour type 0 is grey
  const rows = new Uint8Array((width + 1) * height); // each starts with 0: no filter
  for (let y = 0; y < height; y += 1) rows.set(values.subarray(y * width, (y + 1) * width), y * (width + 1) + 1);
  const stream = new Blob([rows]).stream().pipeThrough(new CompressionStream('deflate'));
  const compressed = new Uint8Array(await new Response(stream).arrayBuffer());
  const signature = Uint8Array.of(137, 80, 78, 71, 13, 10, 26, 10);
  return new Blob([signature, createChunk('IHDR', header), createChunk('IDAT', compressed), createChunk('IEND', new Uint8Array(0))], { type: 'image/png' });
}

/** @param {string} type @param {Uint8Array} data */
function createChunk(type, data) {
  const out = new Uint8Array(data.length + 12);
  const view = new DataView(out.buffer);
  view.setUint32(0, data.length);
  out.set([...type].map((letter) => letter.charCodeAt(0)), 4);
  out.set(data, 8);
  view.setUint32(data.length + 8, crc32(out.subarray(4, data.length + 8)));
  return out;
}
