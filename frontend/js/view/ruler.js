// The ruler: two points set by click, or with a cursor that the arrow keys move and Enter sets.

import { byId } from '../dom.js';
import { distance } from '../data/geometry.js';
import { usableSpacing } from '../data/lesions.js';
import { count, decimal } from '../format.js';
import { strings } from '../strings.js';

/** @param {{onChange: () => void, sliceOf: () => Slice | undefined, announce: (message: string) => void}} options */
export function createRuler({ onChange, sliceOf, announce }) {
  const button = byId('ruler');
  /** @type {RulerState | null} */
  let ruler = null;

  const set = (/** @type {RulerState | null} */ next) => {
    ruler = next;
    button.setAttribute('aria-pressed', String(ruler !== null));
    onChange();
  };
  const toggle = () => {
    if (ruler) return set(null);
    if (!sliceOf()) return undefined;
    announce(strings.viewer.rulerHelp);
    return set({ points: [], cursor: null, text: '' });
  };
  const add = (/** @type {Point} */ point) => {
    if (!ruler) return;
    const points = ruler.points.length === 2 ? [point] : [...ruler.points, point];
    const text = points.length === 2 ? formatLength(points) : '';
    set({ ...ruler, points, text });
    if (text) announce(text);
  };
  const formatLength = (/** @type {Point[]} */ [a, b]) => {
    const slice = sliceOf();
    const { mm, px } = distance(a, b, slice ? usableSpacing(slice) : null);
    return strings.viewer.rulerLength(mm === null ? null : decimal(mm), count(px));
  };
  button.addEventListener('click', toggle);

  return {
    toggle,
    get isActive() {
      return ruler !== null;
    },
    get drawing() {
      return ruler;
    },
    add,
    close: () => set(null),
    clear: () => { if (ruler) set({ points: [], cursor: ruler.cursor, text: '' }); },
    /** Moves the cursor by image pixels; it starts at the centre. */
    move(dx, dy) {
      const slice = sliceOf();
      if (!ruler || !slice) return;
      const { width, height } = slice;
      const from = ruler.cursor ?? { x: width / 2, y: height / 2 };
      const clamp = (value, size) => Math.min(size, Math.max(0, value));
      set({ ...ruler, cursor: { x: clamp(from.x + dx, width), y: clamp(from.y + dy, height) } });
    },
    /** Sets a point at the cursor. */
    placePoint: () => { if (ruler?.cursor) add({ ...ruler.cursor }); },
  };
}
