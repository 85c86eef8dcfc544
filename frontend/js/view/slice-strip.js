// Navigation through a series: slider, buttons, and a bar per slice for its outlined area.

import { byId } from '../dom.js';
import { count } from '../format.js';
import { strings } from '../strings.js';

/** @param {{onSlice: (index: number) => void, onKeySlice: () => void}} listeners */
export function createSliceStrip({ onSlice, onKeySlice }) {
  const strip = byId('strip');
  const range = byId('slice');
  const chart = byId('strip-chart');
  const [previous, next, key] = ['slice-previous', 'slice-next', 'slice-key'].map(byId);
  const EMPTY = { total: 0, index: 0, areas: [], hasResult: [], isUnreadable: [], color: '#fff', keySlice: null, hasSeparatePictures: false };
  /** @type {any} */
  let current = EMPTY;

  range.addEventListener('input', () => onSlice(Number(range.value)));
  previous.addEventListener('click', () => onSlice(current.index - 1));
  next.addEventListener('click', () => onSlice(current.index + 1));
  key.addEventListener('click', onKeySlice);

  const draw = () => {
    const density = window.devicePixelRatio;
    const [width, height] = [Math.round(chart.clientWidth * density), Math.round(chart.clientHeight * density)];
    if (!width || !height) return;
    Object.assign(chart, { width, height });
    const context = chart.getContext('2d');
    const thumb = 16 * density; // the ends of a slider are half a thumb inside
    const step = (width - thumb) / Math.max(1, current.total - 1);
    const barWidth = Math.max(1.5 * density, Math.min(step * 0.7, 10 * density));
    const maxArea = Math.max(...current.areas, 1);
    for (let index = 0; index < current.total; index += 1) {
      const x = thumb / 2 + index * step;
      const area = current.areas[index] ?? 0;
      const barHeight = area ? Math.max(4 * density, (area / maxArea) * (height - 5 * density)) : (current.hasResult[index] ? 2 : 1) * density;
      if (current.isUnreadable[index]) {
        // A hollow mark differs from the bar of an area and from the line of a slice without one.
        context.strokeStyle = '#dfe7ea';
        context.lineWidth = density;
        context.strokeRect(x - barWidth / 2, height - 13 * density, barWidth, 12 * density);
        continue;
      }
      context.fillStyle = area ? current.color : current.hasResult[index] ? '#7d8f99' : '#3a4952';
      context.fillRect(x - barWidth / 2, height - barHeight, barWidth, barHeight);
      if (index === current.keySlice && area) {
        context.fillStyle = '#fff';
        context.fillRect(x - 1.5 * density, 0, 3 * density, 3 * density);
      }
    }
    context.fillStyle = 'rgba(255, 255, 255, 0.2)';
    context.fillRect(thumb / 2 + current.index * step - barWidth, 0, 2 * barWidth, height);
  };
  new ResizeObserver(draw).observe(chart);

  const describe = () => {
    const { index, total, areas, hasResult, isUnreadable, isWaiting, hasSeparatePictures } = current;
    const texts = strings.slices;
    const area = areas[index] ? strings.findings.px(count(areas[index])) : isUnreadable[index] ? texts.unreadable : hasResult[index] ? texts.notOutlined : isWaiting ? texts.waiting : texts.noAnswer;
    range.setAttribute('aria-valuetext', `${texts[hasSeparatePictures ? 'picturePosition' : 'position'](index + 1, total)}, ${area}`);
  };

  return {
    /**
     * Shows a series; hidden for one slice. `hasResult` and `isUnreadable` are lists with one value per slice.
     * @param {any} state {total, index, areas, hasResult, isUnreadable, isWaiting, color, keySlice, hasSeparatePictures} or null
     */
    show(state) {
      current = state ?? EMPTY;
      strip.hidden = current.total < 2;
      range.max = Math.max(0, current.total - 1);
      range.value = current.index;
      previous.disabled = current.index <= 0;
      next.disabled = current.index >= current.total - 1;
      key.disabled = current.keySlice === null;
      describe();
      draw();
    },
  };
}
