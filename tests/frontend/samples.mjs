// Slices for the tests: the synthetic samples of the gallery, and small generated files.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import { ROOT } from './ichor.mjs';

const SAMPLES = join(ROOT, 'frontend', 'samples');
const PNG_SIGNATURE = Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]);

export const samples = JSON.parse(await readFile(join(SAMPLES, 'samples.json'), 'utf8'));
export const sampleBytes = (file) => readFile(join(SAMPLES, file));

const found = new Map();

/** The first sample in which the default model outlines a hemorrhage, with the server's report. */
export function sampleWithFinding(origin) {
  if (!found.has(origin)) found.set(origin, firstWithFinding(origin));
  return found.get(origin);
}

async function firstWithFinding(origin) {
  for (const sample of samples) {
    const report = await segment(origin, await sampleBytes(sample.file));
    if (report.hemorrhage.detected && report.lesions.length) return { sample, report };
  }
  return assert.fail('the default model finds nothing in any of the samples');
}

/** The API's report of a PNG. */
export async function segment(origin, png, query = '') {
  const response = await fetch(`${origin}/v1/segment?${query}`, { method: 'POST', body: png, headers: { 'content-type': 'image/png' } });
  assert.equal(response.status, 200);
  return response.json();
}

/** Width, height, bit depth and colour type (0 grey, 2 RGB, 6 RGBA) of a PNG. */
export function pngHeader(bytes) {
  assert.deepEqual(bytes.subarray(0, 8), PNG_SIGNATURE);
  return { width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20), depth: bytes[24], color: bytes[25] };
}

/** An 8-bit grey PNG of one value. */
export function flatPng(width, height, value = 0) {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header[8] = 8;
  const row = Buffer.alloc(width + 1, value);
  row[0] = 0; // no filter
  const rows = Buffer.concat(Array.from({ length: height }, () => row));
  return Buffer.concat([PNG_SIGNATURE, chunk('IHDR', header), chunk('IDAT', deflateSync(rows)), chunk('IEND', Buffer.alloc(0))]);
}

function chunk(type, data) {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const out = Buffer.alloc(body.length + 8);
  out.writeUInt32BE(data.length, 0);
  body.copy(out, 4);
  out.writeUInt32BE(crc32(body), body.length + 4);
  return out;
}

// Node 20.10 has no zlib.crc32.
function crc32(bytes) {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return (crc ^ 0xffffffff) >>> 0;
}

/** An uncompressed 8-bit grey TIFF, which Chromium cannot show. `pixels` holds width * height bytes. */
export function greyTiff(width, height, pixels) {
  const entries = [[256, 3, width], [257, 3, height], [258, 3, 8], [259, 3, 1], [262, 3, 1],
    [273, 4, 0], [277, 3, 1], [278, 3, height], [279, 4, pixels.length]];
  const head = Buffer.alloc(8 + 2 + entries.length * 12 + 4);
  head.write('II', 0, 'latin1');
  head.writeUInt16LE(42, 2);
  head.writeUInt32LE(8, 4);
  head.writeUInt16LE(entries.length, 8);
  entries.forEach(([tag, type, value], at) => {
    const place = 10 + at * 12;
    head.writeUInt16LE(tag, place);
    head.writeUInt16LE(type, place + 2);
    head.writeUInt32LE(1, place + 4);
    head.writeUInt32LE(tag === 273 ? head.length : value, place + 8);
  });
  return Buffer.concat([head, pixels]);
}
