// Controls of window and level: presets of the API, sliders, and dragging with the right button.

import { byId, element } from '../dom.js';
import { count } from '../format.js';
import { strings } from '../strings.js';

const RANGE = { HU: { center: [-200, 1200], width: [1, 3000] }, grey: { center: [0, 255], width: [1, 511] } };
const FULL_RANGE = { center: 128, width: 256 }; // 8-bit grey without windowing

/** @param {{onWindow: (window: Window_) => void}} listeners */
export function createWindowControls({ onWindow }) {
  const preset = byId('window-preset');
  const sliders = { center: byId('window-center'), width: byId('window-width') };
  /** @type {ServerInfo['windows']} */
  let presets = [];
  /** @type {'HU' | 'grey' | null} */
  let unit = null;
  /** @type {Window_ | null} */
  let defaultWindow = null;
  let window = FULL_RANGE;

  const updateOptions = () => {
    const list = unit === 'HU'
      ? [['own', strings.window.modelDefault], ...presets.map(({ name }) => [name, strings.window.names[name] ?? name])]
      : [['own', strings.window.fullRange]];
    preset.replaceChildren(...[...list, ['custom', strings.window.custom]].map(([value, label]) => element('option', { value }, label)));
  };
  const findWindow = (name) => {
    if (name === 'own') return defaultWindow;
    const match = presets.find((candidate) => candidate.name === name);
    return match && { center: match.center_hu, width: match.width_hu };
  };
  const isSameWindow = (a, b) => a && a.center === b.center && a.width === b.width;
  const show = (presetName) => {
    const names = ['own', ...(unit === 'HU' ? presets.map(({ name }) => name) : [])];
    preset.value = presetName ?? names.find((name) => isSameWindow(findWindow(name), window)) ?? 'custom';
    for (const [key, slider] of Object.entries(sliders)) {
      slider.value = window[key];
      byId(`window-${key}-value`).textContent = `${count(window[key])} ${strings.window.unit[unit ?? ''] ?? ''}`.trim();
    }
  };
  const set = (next, presetName) => {
    window = { center: next.center, width: Math.max(1, next.width) };
    show(presetName);
    onWindow(window);
  };

  const setDisabled = (disabled) => {
    for (const input of [preset, ...Object.values(sliders)]) input.disabled = disabled;
  };

  preset.addEventListener('change', () => {
    const next = findWindow(preset.value);
    if (next) set(next, preset.value);
  });
  for (const slider of Object.values(sliders)) {
    slider.addEventListener('input', () => set({ center: Number(sliders.center.value), width: Number(sliders.width.value) }));
  }

  return {
    setServerInfo(serverInfo) {
      presets = serverInfo.windows ?? [];
    },
    /** Resets for a study. @param {'HU' | 'grey'} nextUnit @param {ApiWindow | null} modelWindow */
    start(nextUnit, modelWindow) {
      unit = nextUnit;
      defaultWindow = unit === 'HU' && modelWindow ? { center: modelWindow.center_hu, width: modelWindow.width_hu } : FULL_RANGE;
      for (const [key, slider] of Object.entries(sliders)) {
        const [min, max] = RANGE[unit][key];
        Object.assign(slider, { min, max, step: 1 });
      }
      updateOptions();
      setDisabled(false);
      set(defaultWindow, 'own');
    },
    /** Clears every value of the study. */
    clear() {
      unit = null;
      defaultWindow = null;
      window = FULL_RANGE;
      preset.replaceChildren();
      for (const [key, slider] of Object.entries(sliders)) {
        slider.value = FULL_RANGE[key];
        byId(`window-${key}-value`).textContent = '';
      }
      setDisabled(true);
    },
    /** Horizontally changes the width, vertically the level, in steps proportional to the width. */
    dragBy(dx, dy) {
      if (!unit) return;
      const step = Math.max(0.4, window.width / 300);
      const clamp = (value, /** @type {number[]} */ [min, max]) => Math.round(Math.min(max, Math.max(min, value)));
      set({ center: clamp(window.center - dy * step, RANGE[unit].center), width: clamp(window.width + dx * step, RANGE[unit].width) });
    },
    /** Chooses a preset by number, from 1; 0 is the model's window. */
    choose(number) {
      const name = number === 0 ? 'own' : presets[number - 1]?.name;
      if (unit && name && (unit === 'HU' || name === 'own')) set(findWindow(name), name);
    },
    updateTexts() {
      if (!unit) return;
      updateOptions();
      show();
    },
  };
}
