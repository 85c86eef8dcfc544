// Text in the viewport: sides, scale, slice number, and the value under the pointer.

import { byId } from '../dom.js';
import { edgeLetters, scaleBar } from '../data/geometry.js';
import { usableSpacing } from '../data/lesions.js';
import { count, decimal } from '../format.js';
import { strings } from '../strings.js';

export function createViewportLabels() {
  const edges = byId('side-labels');
  const scale = byId('scale');
  const number = byId('slice-number');
  const readout = byId('readout');

  /** Letters at the edges on screen, after flips; null where the sides are unknown. */
  const visibleSides = ({ placement, hasKnownSides }, { flipX, flipY }) => {
    const sideLetters = hasKnownSides ? edgeLetters(placement) : null;
    if (!sideLetters) return null;
    const { left, right, top, bottom } = sideLetters;
    const [l, r] = flipX ? [right, left] : [left, right];
    const [t, b] = flipY ? [bottom, top] : [top, bottom];
    return { left: l, right: r, top: t, bottom: b };
  };

  return {
    /** Labels a slice; `width` is that of the pane in CSS px. Only the report records whether the sides are known. */
    show(slice, shape, transform, width, { position, hasReport }) {
      const sideLetters = slice && visibleSides(slice, shape);
      edges.hidden = !slice;
      for (const label of edges.children) label.textContent = sideLetters?.[label.dataset.side] ?? '';
      const bar = slice && scaleBar(usableSpacing(slice), Math.abs(transform.scaleX), width);
      scale.hidden = !bar;
      if (bar) {
        scale.firstElementChild.style.setProperty('--length', `${bar.px}px`);
        scale.lastElementChild.textContent = strings.viewer.scale(decimal(bar.mm));
      }
      number.textContent = slice ? [position, hasReport && !sideLetters ? strings.viewer.directionsUnknown : ''].filter(Boolean).join(' · ') : '';
      number.title = slice && hasReport && !sideLetters ? strings.viewer.directionsUnknownHelp : '';
    },
    /** Removes all labels but the slice number. */
    clear(position = '') {
      edges.hidden = true;
      scale.hidden = true;
      for (const node of [...edges.children, scale.lastElementChild, number, readout]) node.textContent = '';
      number.textContent = position;
      number.title = '';
    },
    /** Shows the value under the pointer. */
    showValue(slice, point) {
      const [x, y] = point ? [Math.floor(point.x), Math.floor(point.y)] : [-1, -1];
      const isInside = slice?.samples && x >= 0 && y >= 0 && x < slice.width && y < slice.height;
      readout.textContent = isInside ? `${x}, ${y}: ${strings.viewer.value[slice.unit](count(slice.samples[y * slice.width + x]))}` : '';
    },
    /** The sides in words, for screen readers. */
    describe(slice, shape, hasReport) {
      const sideLetters = slice && visibleSides(slice, shape);
      if (!sideLetters) return hasReport ? strings.viewer.directionsUnknownHelp : '';
      const word = (letter) => strings.viewer.directions[letter[0]];
      return strings.viewer.sides(word(sideLetters.left), word(sideLetters.right));
    },
  };
}
