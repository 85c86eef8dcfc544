// Controls of the overlay: outline and fill, opacity, heat map, and what to compare with.

import { byId, element } from '../dom.js';
import { strings } from '../strings.js';
import { share } from '../format.js';
import { heatGradient } from './heat-colors.js';

const MODES = ['both', 'outline', 'fill', 'off'];

/** @param {{onOverlay: () => void, onCompare: () => void}} listeners */
export function createOverlayControls({ onOverlay, onCompare }) {
  const modes = [...byId('overlay-mode').querySelectorAll('input')];
  const layouts = [...byId('layout').querySelectorAll('input')];
  const opacity = byId('opacity');
  const heat = byId('heat');
  const compare = byId('compare');
  const divider = byId('divider');
  const viewport = byId('viewport');
  /** @type {Model[]} */
  let models = [];
  let isDisabled = false; // while the current image could not be read

  const selectedValue = (inputs) => inputs.find((input) => input.checked).value;
  const showOpacity = () => { byId('opacity-value').textContent = share(opacity.value / 100); };
  const showHeat = () => { byId('heat-legend').hidden = !heat.checked || isDisabled; };
  const updateOptions = () => {
    const selected = compare.value;
    const list = [['', strings.viewer.compareOff], ['plain', strings.viewer.comparePlain], ...models.map(({ name, title }) => [`model:${name}`, title])];
    compare.replaceChildren(...list.map(([value, label]) => element('option', { value }, label)));
    compare.value = list.some(([value]) => value === selected) ? selected : '';
  };
  const showLayout = () => {
    const single = isDisabled || compare.value === '';
    byId('layout').hidden = single;
    viewport.dataset.layout = single ? 'single' : selectedValue(layouts);
    divider.hidden = viewport.dataset.layout !== 'swipe';
  };
  const onComparisonChange = () => {
    showLayout();
    onCompare();
  };

  byId('heat-legend').querySelector('i').style.setProperty('--heat', heatGradient());
  for (const input of modes) input.addEventListener('change', onOverlay);
  opacity.addEventListener('input', () => { showOpacity(); onOverlay(); });
  heat.addEventListener('change', () => { showHeat(); onOverlay(); });
  compare.addEventListener('change', onComparisonChange);
  for (const input of layouts) input.addEventListener('change', onComparisonChange);
  divider.addEventListener('input', () => viewport.style.setProperty('--divider', `${divider.value}%`));
  showOpacity();

  return {
    get overlay() {
      const mode = selectedValue(modes);
      return { fill: mode === 'both' || mode === 'fill', outline: mode === 'both' || mode === 'outline', opacity: opacity.value / 100, heat: heat.checked };
    },
    /** What the current model is compared with: null, {isPlain: true} or {model: name}. */
    get comparison() {
      if (isDisabled || compare.value === '') return null;
      return compare.value === 'plain' ? { isPlain: true } : { model: compare.value.slice('model:'.length) };
    },
    /** Lists the models that the selected one can be compared with. */
    setModels(all, selected) {
      models = all.filter((model) => model !== selected);
      updateOptions();
      showLayout();
    },
    /** Disables what needs a mask or probabilities; the choices are kept. */
    setDisabled(next) {
      if (next === isDisabled) return;
      isDisabled = next;
      for (const input of [...modes, opacity, heat, compare]) input.disabled = isDisabled;
      showHeat();
      showLayout();
    },
    cycleMode() {
      if (isDisabled) return;
      const input = modes[(MODES.indexOf(selectedValue(modes)) + 1) % MODES.length];
      input.checked = true;
      onOverlay();
    },
    toggleHeat() {
      if (isDisabled) return;
      heat.checked = !heat.checked;
      showHeat();
      onOverlay();
    },
    cycleCompare() {
      if (isDisabled) return;
      compare.selectedIndex = (compare.selectedIndex + 1) % compare.options.length;
      onComparisonChange();
    },
    updateTexts() {
      updateOptions();
      showOpacity();
    },
  };
}
