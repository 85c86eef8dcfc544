// Keys. Letters work anywhere on the page unless switched off; arrows only while the picture has the focus, or
// nothing has, since they move sliders and the page elsewhere.

const TYPING = 'input:not([type=checkbox], [type=radio], [type=range], [type=file]), textarea, [contenteditable]';
const LETTERS = { o: 'marks', h: 'heat', c: 'compare', r: 'ruler', k: 'key', n: 'nextLesion', p: 'previousLesion', '[': 'lower', ']': 'raise', '+': 'zoomIn', '=': 'zoomIn', '-': 'zoomOut', 0: 'fit', '?': 'sheet' };
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const SLICES = { ArrowDown: 1, ArrowUp: -1, PageDown: 5, PageUp: -5, Home: -Infinity, End: Infinity };

/** `actions` by name; `state()`: {enabled, measuring, several}. */
export function listenToKeys(actions, state) {
  document.addEventListener('keydown', (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || event.target.closest(TYPING) || document.querySelector('dialog[open]')) return;
    if (handle(event, actions, state())) event.preventDefault();
  });
}

function handle(event, actions, { enabled, measuring, several }) {
  const { key, shiftKey: shift, target } = event;
  const onPicture = target.id === 'stage';
  if (key === 'Escape' && measuring) return did(actions.leaveRuler);
  if (onPicture && measuring && (ARROWS[key] || key === 'Enter')) return measure(key, shift, actions);
  if (onPicture && shift && ARROWS[key]) return did(() => actions.move(...ARROWS[key].map((step) => -step)));
  if ((onPicture || target === document.body) && !shift && several && key in SLICES) return did(() => actions.slices(SLICES[key]));
  if (!enabled || target.closest('select')) return false;
  if (/^[1-9]$/.test(key)) return did(() => actions.window(Number(key)));
  const action = LETTERS[key.toLowerCase()];
  return action ? did(actions[action]) : false;
}

function measure(key, shift, actions) {
  if (key === 'Enter') return did(actions.setPoint);
  const [dx, dy] = ARROWS[key];
  return did(() => actions.moveCross(dx * (shift ? 10 : 1), dy * (shift ? 10 : 1)));
}

function did(action) {
  action();
  return true;
}
