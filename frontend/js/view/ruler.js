// The ruler: two points by click, or a cross moved by the arrow keys and set with Enter.

import { byId } from '../dom.js';
import { distance } from '../data/geometry.js';
import { measuredSpacing } from '../data/lesions.js';
import { count, decimal } from '../format.js';
import { strings } from '../strings.js';

/** Calls `onChange()` when there is something else to draw. `sliceOf()` gives the slice that is shown. */
export function createRuler({ onChange, sliceOf, say }) {
  const button = byId('ruler');
  let ruler = null; // {points, cross, text}

  const set = (next) => {
    ruler = next;
    button.setAttribute('aria-pressed', String(ruler !== null));
    onChange();
  };
  const toggle = () => {
    if (ruler) return set(null);
    if (!sliceOf()) return undefined;
    say(strings.viewer.rulerHelp);
    return set({ points: [], cross: null, text: '' });
  };
  const add = (point) => {
    const points = ruler.points.length === 2 ? [point] : [...ruler.points, point];
    const text = points.length === 2 ? lengthOf(points) : '';
    set({ ...ruler, points, text });
    if (text) say(text);
  };
  const lengthOf = ([a, b]) => {
    const { mm, px } = distance(a, b, measuredSpacing(sliceOf()));
    return strings.viewer.rulerLength(mm === null ? null : decimal(mm), count(px));
  };
  button.addEventListener('click', toggle);

  return {
    toggle,
    get active() {
      return ruler !== null;
    },
    /** What is to be drawn, or null. */
    get shown() {
      return ruler;
    },
    add,
    leave: () => set(null),
    clear: () => { if (ruler) set({ points: [], cross: ruler.cross, text: '' }); },
    /** Moves the cross by image pixels; it starts in the middle. */
    move(dx, dy) {
      const { width, height } = sliceOf();
      const from = ruler.cross ?? { x: width / 2, y: height / 2 };
      const within = (value, size) => Math.min(size, Math.max(0, value));
      set({ ...ruler, cross: { x: within(from.x + dx, width), y: within(from.y + dy, height) } });
    },
    /** Sets a point where the cross is. */
    set: () => { if (ruler?.cross) add({ ...ruler.cross }); },
  };
}
