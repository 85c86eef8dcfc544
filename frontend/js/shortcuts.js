// Keyboard shortcuts. Letters work anywhere unless switched off. Arrows work only while the viewport or nothing has the
// focus, since elsewhere they move sliders and scroll the page.

const TYPING = 'input:not([type=checkbox], [type=radio], [type=range], [type=file]), textarea, [contenteditable]';
/** @type {Record<string, string>} */
const LETTERS = { o: 'overlay', h: 'heat', c: 'compare', r: 'ruler', k: 'keySlice', n: 'nextLesion', p: 'previousLesion', '[': 'lower', ']': 'raise', '+': 'zoomIn', '=': 'zoomIn', '-': 'zoomOut', 0: 'fit', '?': 'shortcuts' };
/** @type {Record<string, number[]>} */
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
/** @type {Record<string, number>} */
const SLICES = { ArrowDown: 1, ArrowUp: -1, PageDown: 5, PageUp: -5, Home: -Infinity, End: Infinity };

/**
 * Calls the action of each key.
 * @param {Record<string, (...values: any[]) => void>} actions
 * @param {() => {areLettersEnabled: boolean, isMeasuring: boolean, hasSeveralSlices: boolean}} state
 */
export function listenToKeys(actions, state) {
  document.addEventListener('keydown', (/** @type {any} */ event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || event.target.closest(TYPING) || document.querySelector('dialog[open]')) return;
    if (handleKey(event, actions, state())) event.preventDefault();
  });
}

/** @param {any} event @param {Record<string, (...values: any[]) => void>} actions @param {{areLettersEnabled: boolean, isMeasuring: boolean, hasSeveralSlices: boolean}} state */
function handleKey(event, actions, { areLettersEnabled, isMeasuring, hasSeveralSlices }) {
  const { key, shiftKey: shift, target } = event;
  const isOnViewport = target.id === 'viewport';
  if (key === 'Escape' && isMeasuring) return run(actions.closeRuler);
  if (isOnViewport && isMeasuring && (ARROWS[key] || key === 'Enter')) return handleRulerKey(key, shift, actions);
  if (isOnViewport && shift && ARROWS[key]) return run(() => actions.pan(...ARROWS[key].map((step) => -step)));
  if ((isOnViewport || target === document.body) && !shift && hasSeveralSlices && key in SLICES) return run(() => actions.goBySlices(SLICES[key]));
  if (!areLettersEnabled || target.closest('select')) return false;
  if (/^[1-9]$/.test(key)) return run(() => actions.window(Number(key)));
  const action = LETTERS[key.toLowerCase()];
  return action ? run(actions[action]) : false;
}

/** @param {string} key @param {boolean} shift @param {Record<string, (...values: any[]) => void>} actions */
function handleRulerKey(key, shift, actions) {
  if (key === 'Enter') return run(actions.placePoint);
  const [dx, dy] = ARROWS[key];
  return run(() => actions.moveCursor(dx * (shift ? 10 : 1), dy * (shift ? 10 : 1)));
}

/** @param {() => void} action */
function run(action) {
  action();
  return true;
}
