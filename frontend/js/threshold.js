// The threshold: the model's own until the visitor moves it.

import { byId } from './dom.js';
import { fraction } from './format.js';
import { strings } from './strings.js';

const STEP = 0.01;
// A slider sends many values on its way; only where it rests is worth an inference.
const REST_MS = 250;

/** Calls `onThreshold(value)`, null for the model's own. */
export function createThreshold({ onThreshold }) {
  const range = byId('threshold-range');
  const output = byId('threshold-value');
  const reset = byId('threshold-reset');
  Object.assign(range, { min: STEP, max: 1 - STEP, step: STEP });
  let own = null;
  let timer = 0;

  // A model's own threshold need not be a whole number of steps.
  const isOwn = (value) => Math.abs(value - own) < STEP / 2;
  const show = (value) => {
    range.value = value;
    output.textContent = fraction(value);
    reset.hidden = isOwn(value);
  };
  const announce = (value, delay) => {
    clearTimeout(timer);
    timer = setTimeout(() => onThreshold(value), delay);
  };

  range.addEventListener('input', () => {
    const value = Number(range.value);
    show(value);
    announce(isOwn(value) ? null : value, REST_MS);
  });
  reset.addEventListener('click', () => {
    range.focus(); // before the button goes, so that focus is not lost with it
    show(own);
    announce(null, 0);
  });

  return {
    /** Starts over at a model's own threshold. */
    setModel({ threshold }) {
      clearTimeout(timer);
      own = threshold;
      range.disabled = false;
      reset.textContent = strings.threshold.reset(fraction(own));
      show(own);
    },
  };
}
