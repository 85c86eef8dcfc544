// Draws samples, masks and probabilities into off-screen layers of the slice's size.

import { heatColor } from './heat-colors.js';

const OFFSET = { HU: 32768, grey: 0 };
const LEVELS = { HU: 65536, grey: 256 };

/** A canvas that is reused, so that slices of one size need no new memory. @returns {Layer} */
export function createLayer() {
  const canvas = new OffscreenCanvas(1, 1);
  const context = /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext('2d', { willReadFrequently: true }));
  /** @type {ImageData | null} */
  let pixels = null;
  return {
    canvas,
    context,
    /** The pixels as 32-bit words, for a slice of this size. */
    words(width, height) {
      if (canvas.width !== width || canvas.height !== height || !pixels) {
        Object.assign(canvas, { width, height });
        pixels = context.createImageData(width, height);
      }
      return new Uint32Array(pixels.data.buffer);
    },
    show: () => { if (pixels) context.putImageData(pixels, 0, 0); },
    clear(width, height) {
      if (canvas.width !== width || canvas.height !== height) {
        Object.assign(canvas, { width, height });
        pixels = null;
      } else context.clearRect(0, 0, width, height);
    },
  };
}

/** @type {{key: string, words: Uint32Array | null}} */
let table = { key: '', words: null };

/** One grey word (ABGR) per stored value, by the linear function of DICOM PS3.3 C.11.2.1.2.1. @param {'HU' | 'grey'} unit @param {Window_} window @returns {Uint32Array} */
function windowTable(unit, { center, width }) {
  const key = `${unit} ${center} ${width}`;
  if (table.key === key && table.words) return table.words;
  const words = table.words?.length === LEVELS[unit] ? table.words : new Uint32Array(LEVELS[unit]);
  const span = Math.max(width - 1, 1e-6);
  for (let at = 0; at < words.length; at += 1) {
    const share = (at - OFFSET[unit] - (center - 0.5)) / span + 0.5;
    const grey = share <= 0 ? 0 : share >= 1 ? 255 : Math.round(share * 255);
    words[at] = 0xff000000 | (grey << 16) | (grey << 8) | grey;
  }
  table = { key, words };
  return words;
}

/** @param {Layer} layer @param {Slice} slice @param {Window_} window */
export function drawSamples(layer, { samples, unit, width, height }, window) {
  if (!samples) return;
  const words = layer.words(width, height);
  const lookup = windowTable(unit, window);
  const offset = OFFSET[unit];
  for (let at = 0; at < samples.length; at += 1) words[at] = lookup[samples[at] + offset];
  layer.show();
}

/** Fills exactly the pixels of the mask. @param {Layer} layer @param {Size} size @param {Region[]} regions @param {string} color */
export function drawRegions(layer, { width, height }, regions, color) {
  layer.clear(width, height);
  layer.context.fillStyle = color;
  for (const { runs } of regions) for (const [y, first, last] of runs) layer.context.fillRect(first, y, last - first + 1, 1);
}

/** @type {Uint32Array | null} */
let heatColors = null;
function createHeatTable() {
  return Uint32Array.from({ length: 256 }, (_, value) => {
    const [r, g, b] = heatColor(value / 255);
    // Transparent at low probability, nearly opaque from a half on.
    const alpha = Math.round(255 * Math.min(0.85, value / 150));
    return ((alpha << 24) | (b << 16) | (g << 8) | r) >>> 0;
  });
}

/** Draws probabilities, stored as 0 to 255, as a heat map. @param {Layer} layer @param {Size} size @param {Uint8Array | null} probabilities */
export function drawHeat(layer, { width, height }, probabilities) {
  if (!probabilities) return layer.clear(width, height);
  heatColors ??= createHeatTable();
  const words = layer.words(width, height);
  for (let at = 0; at < probabilities.length; at += 1) words[at] = heatColors[probabilities[at]];
  return layer.show();
}

/** The border of a region along the edges of its pixels, in image coordinates. @param {Region} region */
export function createOutline({ runs }) {
  const path = new Path2D();
  const edge = (x0, y0, x1, y1) => { path.moveTo(x0, y0); path.lineTo(x1, y1); };
  const rows = new Map();
  for (const [y, first, last] of runs) {
    if (rows.has(y)) rows.get(y).push([first, last + 1]);
    else rows.set(y, [[first, last + 1]]);
    edge(first, y, first, y + 1);
    edge(last + 1, y, last + 1, y + 1);
  }
  for (const [y, intervals] of rows) {
    for (const [from, to] of subtractIntervals(intervals, rows.get(y - 1))) edge(from, y, to, y);
    for (const [from, to] of subtractIntervals(intervals, rows.get(y + 1))) edge(from, y + 1, to, y + 1);
  }
  return path;
}

/** The parts of `intervals` outside of `others`; both sorted. @param {number[][]} intervals @param {number[][]} others */
function subtractIntervals(intervals, others = []) {
  const remaining = [];
  for (const [from, to] of intervals) {
    let position = from;
    for (const [start, end] of others) {
      if (end <= position || start >= to) continue;
      if (start > position) remaining.push([position, start]);
      position = Math.max(position, end);
    }
    if (position < to) remaining.push([position, to]);
  }
  return remaining;
}
