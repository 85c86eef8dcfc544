// The way through a series: slider, buttons, and a bar a slice for what was outlined on it.

import { byId } from '../dom.js';
import { count } from '../format.js';
import { strings } from '../strings.js';

/** Calls `onSlice(index)` and `onKey()`. */
export function createSliceStrip({ onSlice, onKey }) {
  const strip = byId('strip');
  const range = byId('slice');
  const chart = byId('strip-chart');
  const [previous, next, key] = ['slice-previous', 'slice-next', 'slice-key'].map(byId);
  const NOTHING = { total: 0, index: 0, areas: [], known: [], unread: [], color: '#fff', keySlice: null, separate: false };
  let shown = NOTHING;

  range.addEventListener('input', () => onSlice(Number(range.value)));
  previous.addEventListener('click', () => onSlice(shown.index - 1));
  next.addEventListener('click', () => onSlice(shown.index + 1));
  key.addEventListener('click', onKey);

  const draw = () => {
    const density = window.devicePixelRatio;
    const [width, height] = [Math.round(chart.clientWidth * density), Math.round(chart.clientHeight * density)];
    if (!width || !height) return;
    Object.assign(chart, { width, height });
    const context = chart.getContext('2d');
    const thumb = 16 * density; // a slider's ends lie half a thumb inside
    const step = (width - thumb) / Math.max(1, shown.total - 1);
    const bar = Math.max(1.5 * density, Math.min(step * 0.7, 10 * density));
    const most = Math.max(...shown.areas, 1);
    for (let at = 0; at < shown.total; at += 1) {
      const x = thumb / 2 + at * step;
      const area = shown.areas[at] ?? 0;
      const tall = area ? Math.max(4 * density, (area / most) * (height - 5 * density)) : (shown.known[at] ? 2 : 1) * density;
      if (shown.unread[at]) {
        // A hollow mark: neither the bar of an outline nor the line of a slice without one.
        context.strokeStyle = '#dfe7ea';
        context.lineWidth = density;
        context.strokeRect(x - bar / 2, height - 13 * density, bar, 12 * density);
        continue;
      }
      context.fillStyle = area ? shown.color : shown.known[at] ? '#7d8f99' : '#3a4952';
      context.fillRect(x - bar / 2, height - tall, bar, tall);
      if (at === shown.keySlice && area) {
        context.fillStyle = '#fff';
        context.fillRect(x - 1.5 * density, 0, 3 * density, 3 * density);
      }
    }
    context.fillStyle = 'rgba(255, 255, 255, 0.2)';
    context.fillRect(thumb / 2 + shown.index * step - bar, 0, 2 * bar, height);
  };
  new ResizeObserver(draw).observe(chart);

  const describe = () => {
    const { index, total, areas, known, unread, waiting, separate } = shown;
    const say = strings.slices;
    const area = areas[index] ? strings.findings.px(count(areas[index])) : unread[index] ? say.unread : known[index] ? say.nothing : waiting ? say.waiting : say.noAnswer;
    range.setAttribute('aria-valuetext', `${say[separate ? 'ofPictures' : 'of'](index + 1, total)}, ${area}`);
  };

  return {
    /**
     * `state`: {total, index, areas, known, unread, waiting, color, keySlice, separate}, or null where nothing is open.
     * `known` slices have an answer, `unread` ones were not understood; `separate`: pictures, not slices of one head.
     * Hidden where there is one slice only.
     */
    show(state) {
      shown = state ?? NOTHING;
      strip.hidden = shown.total < 2;
      range.max = Math.max(0, shown.total - 1);
      range.value = shown.index;
      previous.disabled = shown.index <= 0;
      next.disabled = shown.index >= shown.total - 1;
      key.disabled = shown.keySlice === null;
      describe();
      draw();
    },
  };
}
