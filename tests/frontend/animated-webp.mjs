// Writes animated WebP from frames that Chromium encodes. Layout: WebP Container Specification, Google, RIFF based.

import { decodePng } from './pixels.mjs';

const ANIMATION = 0x02;
const WITHOUT_BLENDING = 0x02;

/** Box of the pixels in which two images differ, on even coordinates as the container needs; null where they are equal. */
export function changedBox(before, after) {
  const { width, height, channels } = after;
  let [left, top, right, bottom] = [width, height, -1, -1];
  for (let at = 0; at < after.data.length; at += channels) {
    if ([0, 1, 2].every((channel) => before.data[at + channel] === after.data[at + channel])) continue;
    const [x, y] = [(at / channels) % width, Math.floor(at / channels / width)];
    [left, right, top, bottom] = [Math.min(left, x), Math.max(right, x), Math.min(top, y), Math.max(bottom, y)];
  }
  if (right < 0) return null;
  [left, top] = [left - (left % 2), top - (top % 2)];
  return { x: left, y: top, width: right + 1 - left, height: bottom + 1 - top };
}

/** One part of a PNG as the image chunk of a WebP, by the encoder of the browser. */
async function encodeFrame(browserPage, png, box, quality) {
  const base64 = await browserPage.evaluate(async ([source, { x, y, width, height }, share]) => {
    const bytes = Uint8Array.from(atob(source), (char) => char.charCodeAt(0));
    const image = await createImageBitmap(new Blob([bytes], { type: 'image/png' }), x, y, width, height);
    const canvas = new OffscreenCanvas(width, height);
    canvas.getContext('2d', { alpha: false }).drawImage(image, 0, 0);
    const encoded = new Uint8Array(await (await canvas.convertToBlob({ type: 'image/webp', quality: share })).arrayBuffer());
    return btoa(Array.from(encoded, (byte) => String.fromCharCode(byte)).join(''));
  }, [png.toString('base64'), box, quality]);
  const webp = Buffer.from(base64, 'base64');
  const start = webp.indexOf('VP8 ', 12, 'latin1');
  if (start < 0) throw new Error('the browser wrote no lossy WebP');
  const size = webp.readUInt32LE(start + 4);
  return webp.subarray(start, start + 8 + size + (size % 2));
}

const chunk = (name, payload) => {
  const header = Buffer.alloc(8);
  header.write(name, 'latin1');
  header.writeUInt32LE(payload.length, 4);
  return Buffer.concat([header, payload, Buffer.alloc(payload.length % 2)]);
};

/** Consecutive 24-bit numbers. */
const triplets = (...values) => {
  const bytes = Buffer.alloc(3 * values.length);
  values.forEach((value, index) => bytes.writeUIntLE(value, 3 * index, 3));
  return bytes;
};

/** An endless animation of `frames` {png, ms}, all of one size. Each stores only the box that changed. */
export async function animatedWebp(browserPage, frames, quality) {
  const shown = [];
  let before = null;
  for (const { png, ms } of frames) {
    const image = decodePng(png);
    const box = before ? changedBox(before, image) : { x: 0, y: 0, width: image.width, height: image.height };
    if (box) shown.push({ box, ms, data: await encodeFrame(browserPage, png, box, quality) });
    else shown[shown.length - 1].ms += ms;
    before = image;
  }
  const parts = shown.map(({ box, ms, data }) => chunk('ANMF', Buffer.concat([
    triplets(box.x / 2, box.y / 2, box.width - 1, box.height - 1, ms), Buffer.of(WITHOUT_BLENDING), data])));
  const header = chunk('VP8X', Buffer.concat([Buffer.of(ANIMATION, 0, 0, 0), triplets(before.width - 1, before.height - 1)]));
  const body = Buffer.concat([Buffer.from('WEBP', 'latin1'), header, chunk('ANIM', Buffer.alloc(6)), ...parts]);
  return chunk('RIFF', body);
}
