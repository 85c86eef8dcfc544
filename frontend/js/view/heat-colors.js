// Colours of the heat map: even steps of lightness, so that they work without telling red from green (after
// matplotlib's inferno).

const STOPS = [[0, 0, 4], [87, 16, 110], [188, 55, 84], [249, 142, 9], [252, 255, 164]];

/** Red, green and blue of a probability. @param {number} probability 0 to 1 */
export function heatColor(probability) {
  const position = probability * (STOPS.length - 1);
  const stop = Math.min(STOPS.length - 2, Math.floor(position));
  return STOPS[stop].map((value, channel) => Math.round(value + (STOPS[stop + 1][channel] - value) * (position - stop)));
}

/** The colours from high to low, as a CSS gradient. */
export const heatGradient = () => `linear-gradient(${[...STOPS].reverse().map((rgb) => `rgb(${rgb.join(' ')})`).join(', ')})`;
