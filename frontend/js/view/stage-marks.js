// Text on the stage: sides, scale, slice number, the value under the pointer.

import { byId } from '../dom.js';
import { edgeLetters, scaleBar } from '../data/geometry.js';
import { measuredSpacing } from '../data/lesions.js';
import { count, decimal } from '../format.js';
import { strings } from '../strings.js';

export function createStageMarks() {
  const edges = byId('edges');
  const scale = byId('scale');
  const number = byId('slice-number');
  const readout = byId('readout');

  /** Letters at the edges as they are seen, flips counted; empty where the file does not say. */
  const seen = ({ placement, sided }, { flipX, flipY }) => {
    const letters = sided ? edgeLetters(placement) : null;
    if (!letters) return null;
    const { left, right, top, bottom } = letters;
    const [l, r] = flipX ? [right, left] : [left, right];
    const [t, b] = flipY ? [bottom, top] : [top, bottom];
    return { left: l, right: r, top: t, bottom: b };
  };

  return {
    /** Shows what is known of the slice; `place` is the pane's, `width` its width in CSS px. */
    show(slice, shape, place, width, position) {
      const letters = slice && seen(slice, shape);
      edges.hidden = !slice;
      for (const mark of edges.children) mark.textContent = letters?.[mark.dataset.edge] ?? '';
      const bar = slice && scaleBar(measuredSpacing(slice), Math.abs(place.scaleX), width);
      scale.hidden = !bar;
      if (bar) {
        scale.firstElementChild.style.setProperty('--length', `${bar.px}px`);
        scale.lastElementChild.textContent = strings.viewer.scale(decimal(bar.mm));
      }
      number.textContent = slice ? [position, letters ? '' : strings.viewer.directionsUnknown].filter(Boolean).join(' · ') : '';
      number.title = slice && !letters ? strings.viewer.directionsUnknownHelp : '';
    },
    /** Takes all of it away but the slice's number, where there is no picture. */
    clear(position = '') {
      edges.hidden = true;
      scale.hidden = true;
      for (const node of [...edges.children, scale.lastElementChild, number, readout]) node.textContent = '';
      number.textContent = position;
      number.title = '';
    },
    /** The value under the pointer, or nothing. */
    value(slice, point) {
      const [x, y] = point ? [Math.floor(point.x), Math.floor(point.y)] : [-1, -1];
      const inside = slice?.samples && x >= 0 && y >= 0 && x < slice.width && y < slice.height;
      readout.textContent = inside ? `${x}, ${y}: ${strings.viewer.value[slice.unit](count(slice.samples[y * slice.width + x]))}` : '';
    },
    /** Sides in words, for those who cannot see the letters. */
    describe(slice, shape) {
      const letters = slice && seen(slice, shape);
      if (!letters) return strings.viewer.directionsUnknownHelp;
      const word = (letter) => strings.viewer.directions[letter[0]];
      return strings.viewer.sides(word(letters.left), word(letters.right));
    },
  };
}
