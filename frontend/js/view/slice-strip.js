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
  let shown = { total: 0, index: 0, areas: [], known: [], color: '#fff', keySlice: null };

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
    const { index, total, areas, known } = shown;
    const area = areas[index] ? strings.findings.px(count(areas[index])) : known[index] ? strings.slices.nothing : strings.slices.waiting;
    range.setAttribute('aria-valuetext', strings.slices.outlined(index + 1, total, area));
  };

  return {
    /** `state`: {total, index, areas, known, color, keySlice}; hidden where there is one slice only. */
    show(state) {
      shown = { ...shown, ...state };
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
