// The threshold: the model's own until the visitor moves it. What it changes is computed in the page at once.

import { byId } from '../dom.js';
import { fraction } from '../format.js';
import { strings } from '../strings.js';

const STEP = 0.01;

/** Calls `onThreshold(value)`, null for the model's own. */
export function createThreshold({ onThreshold }) {
  const range = byId('threshold-range');
  const output = byId('threshold-value');
  const reset = byId('threshold-reset');
  Object.assign(range, { min: STEP, max: 1 - STEP, step: STEP });
  let own = null;
  let note = 'note';

  // A model's own threshold need not be a whole number of steps.
  const isOwn = (value) => Math.abs(value - own) < STEP / 2;
  const show = (value) => {
    range.value = value;
    output.textContent = fraction(value);
    reset.hidden = isOwn(value);
  };
  const set = (value) => {
    show(value);
    onThreshold(isOwn(value) ? null : value);
  };
  const showState = () => {
    byId('threshold-note').textContent = strings.threshold[note];
    range.disabled = own === null || note === 'unreadable';
    reset.disabled = range.disabled;
  };

  range.addEventListener('input', () => set(Number(range.value)));
  reset.addEventListener('click', () => {
    range.focus(); // before the button goes, so that focus is not lost with it
    show(own);
    onThreshold(null);
  });
  const retext = () => {
    showState();
    if (own === null) return;
    reset.textContent = strings.threshold.reset(fraction(own));
    output.textContent = fraction(Number(range.value));
  };

  return {
    retext,
    /** Shows a model's own threshold, or the one that the visitor gave it before. */
    setModel({ threshold }, chosen = null) {
      own = threshold;
      show(chosen ?? own);
      retext();
    },
    /** Moves it by steps of 0.05. */
    step(direction) {
      if (range.disabled) return;
      set(Math.min(1 - STEP, Math.max(STEP, Math.round(Number(range.value) * 100 + 5 * direction) / 100)));
    },
    /**
     * What the threshold does to the slice that is shown: `note` where it outlines, `closed` where the slice classifier
     * forbids it, `unreadSlice` where this slice was not understood, `unreadable` where nothing was: it cannot be moved then.
     */
    setState(next) {
      note = next;
      showState();
    },
  };
}
