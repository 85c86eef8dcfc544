// How findings are marked: outline, fill, both or not at all; opacity; heat map; what to compare with.

import { byId, element } from '../dom.js';
import { strings } from '../strings.js';
import { share } from '../format.js';
import { heatGradient } from './heat-colors.js';

const MODES = ['both', 'outline', 'fill', 'off'];

/** Calls `onMarks()` when the drawing changes, `onCompare()` when another picture is wanted beside it. */
export function createMarkControls({ onMarks, onCompare }) {
  const modes = [...byId('mode').querySelectorAll('input')];
  const layouts = [...byId('layout').querySelectorAll('input')];
  const opacity = byId('opacity');
  const heat = byId('heat');
  const compare = byId('compare');
  const divider = byId('divider');
  const stage = byId('stage');
  let models = [];
  let blocked = false; // nothing to mark or compare on what is shown

  const checked = (inputs) => inputs.find((input) => input.checked).value;
  const showOpacity = () => { byId('opacity-value').textContent = share(opacity.value / 100); };
  const showHeat = () => { byId('heat-legend').hidden = !heat.checked || blocked; };
  const options = () => {
    const chosen = compare.value;
    const list = [['', strings.viewer.compareOff], ['plain', strings.viewer.comparePlain], ...models.map(({ name, title }) => [`model:${name}`, title])];
    compare.replaceChildren(...list.map(([value, label]) => element('option', { value }, label)));
    compare.value = list.some(([value]) => value === chosen) ? chosen : '';
  };
  const showLayout = () => {
    const single = blocked || compare.value === '';
    byId('layout').hidden = single;
    stage.dataset.layout = single ? 'single' : checked(layouts);
    divider.hidden = stage.dataset.layout !== 'swipe';
  };
  const compared = () => {
    showLayout();
    onCompare();
  };

  byId('heat-legend').querySelector('i').style.setProperty('--heat', heatGradient());
  for (const input of modes) input.addEventListener('change', onMarks);
  opacity.addEventListener('input', () => { showOpacity(); onMarks(); });
  heat.addEventListener('change', () => { showHeat(); onMarks(); });
  compare.addEventListener('change', compared);
  for (const input of layouts) input.addEventListener('change', compared);
  divider.addEventListener('input', () => stage.style.setProperty('--divider', `${divider.value}%`));
  showOpacity();

  return {
    get marks() {
      const mode = checked(modes);
      return { fill: mode === 'both' || mode === 'fill', outline: mode === 'both' || mode === 'outline', opacity: opacity.value / 100, heat: heat.checked };
    },
    /** What stands beside: null, {plain: true} or {model: name}. */
    get beside() {
      if (blocked || compare.value === '') return null;
      return compare.value === 'plain' ? { plain: true } : { model: compare.value.slice('model:'.length) };
    },
    /** The models that can stand beside the chosen one. */
    setModels(all, chosen) {
      models = all.filter((model) => model !== chosen);
      const before = compare.value;
      options();
      showLayout();
      return compare.value !== before;
    },
    /** Switches off what needs outlines or probabilities, while there are none. What was chosen comes back later. */
    setBlocked(next) {
      if (next === blocked) return;
      blocked = next;
      for (const input of [...modes, opacity, heat, compare]) input.disabled = blocked;
      showHeat();
      showLayout();
    },
    cycleMode() {
      if (blocked) return;
      const input = modes[(MODES.indexOf(checked(modes)) + 1) % MODES.length];
      input.checked = true;
      onMarks();
    },
    toggleHeat() {
      if (blocked) return;
      heat.checked = !heat.checked;
      showHeat();
      onMarks();
    },
    cycleCompare() {
      if (blocked) return;
      compare.selectedIndex = (compare.selectedIndex + 1) % compare.options.length;
      compared();
    },
    retext() {
      options();
      showOpacity();
    },
  };
}
