// Window and level: presets from the API, sliders, and the way a right-drag changes them.

import { byId, element } from '../dom.js';
import { count } from '../format.js';
import { strings } from '../strings.js';

const RANGE = { HU: { center: [-200, 1200], width: [1, 3000] }, grey: { center: [0, 255], width: [1, 511] } };
const WHOLE = { center: 128, width: 256 }; // 8-bit grey as it was delivered

/** Calls `onWindow({center, width})`. */
export function createWindowControls({ onWindow }) {
  const preset = byId('window-preset');
  const sliders = { center: byId('window-center'), width: byId('window-width') };
  let presets = [];
  let unit = null;
  let own = null;
  let window = WHOLE;

  const options = () => {
    const list = unit === 'HU'
      ? [['own', strings.window.own], ...presets.map(({ name }) => [name, strings.window.names[name] ?? name])]
      : [['own', strings.window.whole]];
    preset.replaceChildren(...[...list, ['custom', strings.window.custom]].map(([value, label]) => element('option', { value }, label)));
  };
  const windowOf = (name) => {
    if (name === 'own') return own;
    const found = presets.find((one) => one.name === name);
    return found && { center: found.center_hu, width: found.width_hu };
  };
  const same = (a, b) => a && a.center === b.center && a.width === b.width;
  const show = (chosen) => {
    const names = ['own', ...(unit === 'HU' ? presets.map(({ name }) => name) : [])];
    preset.value = chosen ?? names.find((name) => same(windowOf(name), window)) ?? 'custom';
    for (const [key, slider] of Object.entries(sliders)) {
      slider.value = window[key];
      byId(`window-${key}-value`).textContent = `${count(window[key])} ${strings.window.unit[unit] ?? ''}`.trim();
    }
  };
  const set = (next, chosen) => {
    window = { center: next.center, width: Math.max(1, next.width) };
    show(chosen);
    onWindow(window);
  };

  const setDisabled = (disabled) => {
    for (const input of [preset, ...Object.values(sliders)]) input.disabled = disabled;
  };

  preset.addEventListener('change', () => {
    const next = windowOf(preset.value);
    if (next) set(next, preset.value);
  });
  for (const slider of Object.values(sliders)) {
    slider.addEventListener('input', () => set({ center: Number(sliders.center.value), width: Number(sliders.width.value) }));
  }

  return {
    setFacts(facts) {
      presets = facts.windows ?? [];
    },
    /** Starts over for a study: `unit` of its samples, `modelWindow` {center_hu, width_hu} or null. */
    start(nextUnit, modelWindow) {
      unit = nextUnit;
      own = unit === 'HU' && modelWindow ? { center: modelWindow.center_hu, width: modelWindow.width_hu } : WHOLE;
      for (const [key, slider] of Object.entries(sliders)) {
        const [min, max] = RANGE[unit][key];
        Object.assign(slider, { min, max, step: 1 });
      }
      options();
      setDisabled(false);
      set(own, 'own');
    },
    /** Forgets the study: no figure of it stays. */
    clear() {
      unit = null;
      own = null;
      window = WHOLE;
      preset.replaceChildren();
      for (const [key, slider] of Object.entries(sliders)) {
        slider.value = WHOLE[key];
        byId(`window-${key}-value`).textContent = '';
      }
      setDisabled(true);
    },
    get window() {
      return window;
    },
    /** Right-drag: sideways the width, up and down the level, in steps that follow the width. */
    dragBy(dx, dy) {
      if (!unit) return;
      const step = Math.max(0.4, window.width / 300);
      const within = (value, [min, max]) => Math.round(Math.min(max, Math.max(min, value)));
      set({ center: within(window.center - dy * step, RANGE[unit].center), width: within(window.width + dx * step, RANGE[unit].width) });
    },
    /** The preset of this number, from 1; 0 is the model's own. */
    choose(number) {
      const name = number === 0 ? 'own' : presets[number - 1]?.name;
      if (unit && name && (unit === 'HU' || name === 'own')) set(windowOf(name), name);
    },
    retext() {
      if (!unit) return;
      options();
      show();
    },
  };
}
