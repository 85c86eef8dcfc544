// Formats numbers in the language of the page.

import { language } from './strings.js';

const formatters = new Map();
function formatNumber(value, options, name) {
  const key = `${language()} ${name}`;
  if (!formatters.has(key)) formatters.set(key, new Intl.NumberFormat(language(), options));
  return formatters.get(key).format(value);
}

// Keeps a number and its unit on one line.
const NBSP = '\u00a0';

export const count = (value) => formatNumber(value, { maximumFractionDigits: 0 }, 'whole');
export const decimal = (value) => formatNumber(value, { maximumFractionDigits: 1 }, 'one');
export const fraction = (value) => formatNumber(value, { minimumFractionDigits: 2, maximumFractionDigits: 2 }, 'two');

/** Millilitres: two decimals below one, so that small volumes differ from zero; one above. */
export const millilitres = (value) => (value > 0 && value < 1 ? fraction(value) : decimal(value));

/** A share of 0 to 1 in whole percent. */
export const share = (value) => `${count(value * 100)}${NBSP}%`;

/** A probability of 0 to 1 in percent; never "0 %" or "100 %", which would claim certainty. */
export function percent(probability) {
  if (probability < 0.01) return `<${NBSP}1${NBSP}%`;
  if (probability > 0.99) return `>${NBSP}99${NBSP}%`;
  return share(probability);
}

/** Bytes in binary units, as in the limits of the server. */
export function bytes(value) {
  if (value < 1024) return `${count(value)}${NBSP}B`;
  if (value < 1024 * 1024) return `${decimal(value / 1024)}${NBSP}KiB`;
  return `${decimal(value / (1024 * 1024))}${NBSP}MiB`;
}

/** Milliseconds: one decimal below ten, whole above. */
export const milliseconds = (value) => (value < 10 ? decimal(value) : count(value));

// As their authors spell them; the others are capitals.
const FORMAT_NAMES = { nifti: 'NIfTI', webp: 'WebP' };

/** Name of a file format, such as `JPEG` for `image/jpeg`. @param {string} mediaType @returns {string} */
export function formatName(mediaType) {
  const name = mediaType.split('/')[1].replace(/^x-/, '');
  return FORMAT_NAMES[name] ?? name.toUpperCase();
}
