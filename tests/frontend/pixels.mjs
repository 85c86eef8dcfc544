// Decodes PNG screenshots and compares their pixels.

import { inflateSync } from 'node:zlib';

/** RGB or RGBA PNG without interlacing, as browsers write screenshots: {width, height, channels, data}. */
export function decodePng(bytes) {
  const [width, height] = [bytes.readUInt32BE(16), bytes.readUInt32BE(20)];
  const channels = { 2: 3, 6: 4 }[bytes[25]];
  const parts = [];
  for (let at = 8; at < bytes.length;) {
    const length = bytes.readUInt32BE(at);
    if (bytes.toString('latin1', at + 4, at + 8) === 'IDAT') parts.push(bytes.subarray(at + 8, at + 8 + length));
    at += 12 + length;
  }
  const raw = inflateSync(Buffer.concat(parts));
  const stride = width * channels;
  const data = Buffer.alloc(stride * height);
  for (let y = 0; y < height; y += 1) {
    const filter = raw[y * (stride + 1)];
    for (let x = 0; x < stride; x += 1) {
      const left = x < channels ? 0 : data[y * stride + x - channels];
      const up = y ? data[(y - 1) * stride + x] : 0;
      const corner = y && x >= channels ? data[(y - 1) * stride + x - channels] : 0;
      const p = left + up - corner;
      const [a, b, c] = [Math.abs(p - left), Math.abs(p - up), Math.abs(p - corner)];
      const guess = [0, left, up, (left + up) >> 1, a <= b && a <= c ? left : b <= c ? up : corner][filter];
      data[y * stride + x] = raw[y * (stride + 1) + 1 + x] + guess;
    }
  }
  return { width, height, channels, data };
}

/** Columns of the pixels within `levels` of a colour. */
export function coloured({ width, channels, data }, rgb, levels) {
  const xs = [];
  for (let at = 0; at < data.length; at += channels) {
    if (rgb.every((value, channel) => Math.abs(data[at + channel] - value) <= levels)) xs.push((at / channels) % width);
  }
  return { width, xs };
}

/** Share of pixels of which any channel differs by more than `levels`. */
export function unlike(one, other, levels) {
  if (one.width !== other.width || one.height !== other.height) return 1;
  let count = 0;
  for (let pixel = 0; pixel < one.width * one.height; pixel += 1) {
    const differs = [0, 1, 2].some((channel) => Math.abs(one.data[pixel * one.channels + channel] - other.data[pixel * other.channels + channel]) > levels);
    count += differs ? 1 : 0;
  }
  return count / (one.width * one.height);
}
