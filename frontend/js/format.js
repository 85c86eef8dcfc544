// Numbers as people read them.

const LOCALE = 'en';
const whole = new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 0 });
const oneDecimal = new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 1 });
const twoDecimals = new Intl.NumberFormat(LOCALE, { minimumFractionDigits: 2, maximumFractionDigits: 2 });

// A number and its unit stay on one line.
const NBSP = '\u00a0';

export const count = (value) => whole.format(value);
export const decimal = (value) => oneDecimal.format(value);
export const fraction = (value) => twoDecimals.format(value);

/** A probability of 0..1 in percent; never "0 %" or "100 %", which would claim certainty. */
export function percent(probability) {
  if (probability < 0.01) return `under${NBSP}1${NBSP}%`;
  if (probability > 0.99) return `over${NBSP}99${NBSP}%`;
  return `${whole.format(probability * 100)}${NBSP}%`;
}

/** Bytes in binary units, as the limits are set in. */
export function bytes(value) {
  if (value < 1024) return `${whole.format(value)}${NBSP}bytes`;
  if (value < 1024 * 1024) return `${oneDecimal.format(value / 1024)}${NBSP}KiB`;
  return `${oneDecimal.format(value / (1024 * 1024))}${NBSP}MiB`;
}

/** Milliseconds: one decimal below ten, whole above. */
export const milliseconds = (value) => (value < 10 ? decimal(value) : count(value));

/** `image/jpeg` as `JPEG`, `application/dicom` as `DICOM`. */
export function mediaTypeName(mediaType) {
  return mediaType.split('/').pop().replace(/^x-/, '').toUpperCase();
}
