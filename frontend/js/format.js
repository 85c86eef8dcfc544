// Numbers as people read them, in the page's language.

import { language } from './strings.js';

const makers = new Map();
function number(value, options, name) {
  const key = `${language()} ${name}`;
  if (!makers.has(key)) makers.set(key, new Intl.NumberFormat(language(), options));
  return makers.get(key).format(value);
}

// A number and its unit stay on one line.
const NBSP = '\u00a0';

export const count = (value) => number(value, { maximumFractionDigits: 0 }, 'whole');
export const decimal = (value) => number(value, { maximumFractionDigits: 1 }, 'one');
export const fraction = (value) => number(value, { minimumFractionDigits: 2, maximumFractionDigits: 2 }, 'two');

/** Millilitres: two decimals below one, where they tell a speck from nothing; one above. */
export const millilitres = (value) => (value > 0 && value < 1 ? fraction(value) : decimal(value));

/** A share of 0..1 in whole percent. */
export const share = (value) => `${count(value * 100)}${NBSP}%`;

/** A probability of 0..1 in percent; never "0 %" or "100 %", which would claim certainty. */
export function percent(probability) {
  if (probability < 0.01) return `<${NBSP}1${NBSP}%`;
  if (probability > 0.99) return `>${NBSP}99${NBSP}%`;
  return share(probability);
}

/** Bytes in binary units, as the limits are set in. */
export function bytes(value) {
  if (value < 1024) return `${count(value)}${NBSP}B`;
  if (value < 1024 * 1024) return `${decimal(value / 1024)}${NBSP}KiB`;
  return `${decimal(value / (1024 * 1024))}${NBSP}MiB`;
}

/** Milliseconds: one decimal below ten, whole above. */
export const milliseconds = (value) => (value < 10 ? decimal(value) : count(value));

/** `image/jpeg` as `JPEG`, `application/dicom` as `DICOM`. */
export function mediaTypeName(mediaType) {
  return mediaType.split('/').pop().replace(/^x-/, '').toUpperCase();
}
