// The heat map's colours: dark to bright with even steps of lightness, legible without telling red from green (after
// matplotlib's inferno).

const STOPS = [[0, 0, 4], [87, 16, 110], [188, 55, 84], [249, 142, 9], [252, 255, 164]];

/** Red, green and blue of a probability of 0..1. */
export function heatColor(share) {
  const at = Math.min(STOPS.length - 2, Math.floor(share * (STOPS.length - 1)));
  const between = share * (STOPS.length - 1) - at;
  return STOPS[at].map((value, channel) => Math.round(value + (STOPS[at + 1][channel] - value) * between));
}

/** The colours from high to low, as a CSS gradient. */
export const heatGradient = () => `linear-gradient(${[...STOPS].reverse().map((rgb) => `rgb(${rgb.join(' ')})`).join(', ')})`;
