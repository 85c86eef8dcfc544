// Samples, masks and probabilities to pictures of the slice's own size.

import { heatColor } from './heat-colors.js';

const OFFSET = { HU: 32768, grey: 0 };
const LEVELS = { HU: 65536, grey: 256 };

/** A canvas that is reused; pictures of one size cost no new memory. */
export function createLayer() {
  const canvas = new OffscreenCanvas(1, 1);
  const context = canvas.getContext('2d', { willReadFrequently: true });
  let pixels = null;
  return {
    canvas,
    context,
    /** The layer's pixels as 32-bit words, for a slice of this size. */
    words(width, height) {
      if (canvas.width !== width || canvas.height !== height || !pixels) {
        Object.assign(canvas, { width, height });
        pixels = context.createImageData(width, height);
      }
      return new Uint32Array(pixels.data.buffer);
    },
    show: () => context.putImageData(pixels, 0, 0),
    clear(width, height) {
      if (canvas.width !== width || canvas.height !== height) {
        Object.assign(canvas, { width, height });
        pixels = null;
      } else context.clearRect(0, 0, width, height);
    },
  };
}

let table = { key: '', words: null };

/** One grey word (ABGR) a stored value, by the linear function of DICOM PS3.3 C.11.2.1.2.1. */
function windowTable(unit, { center, width }) {
  const key = `${unit} ${center} ${width}`;
  if (table.key === key) return table.words;
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

/** Draws a slice's samples through a window {center, width}. */
export function drawSamples(layer, { samples, unit, width, height }, window) {
  const words = layer.words(width, height);
  const lookup = windowTable(unit, window);
  const offset = OFFSET[unit];
  for (let at = 0; at < samples.length; at += 1) words[at] = lookup[samples[at] + offset];
  layer.show();
}

/** Fills regions with a colour; the mask's own pixels, neither more nor less. */
export function drawRegions(layer, { width, height }, regions, color) {
  layer.clear(width, height);
  layer.context.fillStyle = color;
  for (const { runs } of regions) for (const [y, first, last] of runs) layer.context.fillRect(first, y, last - first + 1, 1);
}

let heat = null;
function heatTable() {
  return Uint32Array.from({ length: 256 }, (_, value) => {
    const [r, g, b] = heatColor(value / 255);
    // Improbable places stay clear; from a half on the colour covers.
    const alpha = Math.round(255 * Math.min(0.85, value / 150));
    return ((alpha << 24) | (b << 16) | (g << 8) | r) >>> 0;
  });
}

/** Draws probabilities (255ths) as a heat map. */
export function drawHeat(layer, { width, height }, probabilities) {
  if (!probabilities) return layer.clear(width, height);
  heat ??= heatTable();
  const words = layer.words(width, height);
  for (let at = 0; at < probabilities.length; at += 1) words[at] = heat[probabilities[at]];
  return layer.show();
}

/** The border of a region along the edges of its pixels, in image coordinates. */
export function outlineOf({ runs }) {
  const path = new Path2D();
  const edge = (x0, y0, x1, y1) => { path.moveTo(x0, y0); path.lineTo(x1, y1); };
  const rows = new Map();
  for (const [y, first, last] of runs) {
    if (rows.has(y)) rows.get(y).push([first, last + 1]);
    else rows.set(y, [[first, last + 1]]);
    edge(first, y, first, y + 1);
    edge(last + 1, y, last + 1, y + 1);
  }
  for (const [y, here] of rows) {
    for (const [from, to] of without(here, rows.get(y - 1))) edge(from, y, to, y);
    for (const [from, to] of without(here, rows.get(y + 1))) edge(from, y + 1, to, y + 1);
  }
  return path;
}

/** The parts of `intervals` that lie in none of `others`; both in order. */
function without(intervals, others = []) {
  const left = [];
  for (const [from, to] of intervals) {
    let at = from;
    for (const [start, end] of others) {
      if (end <= at || start >= to) continue;
      if (start > at) left.push([at, start]);
      at = Math.max(at, end);
    }
    if (at < to) left.push([at, to]);
  }
  return left;
}
