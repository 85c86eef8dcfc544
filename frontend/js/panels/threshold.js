// The threshold control. Its effect is computed in the page, without a request.

import { byId } from '../dom.js';
import { fraction } from '../format.js';
import { strings } from '../strings.js';

const STEP = 0.01;

/** @param {{onThreshold: (value: number | null) => void}} listeners `null` is the model's own threshold */
export function createThreshold({ onThreshold }) {
  const range = byId('threshold-range');
  const output = byId('threshold-value');
  const reset = byId('threshold-reset');
  Object.assign(range, { min: STEP, max: 1 - STEP, step: STEP });
  /** @type {number | null} */
  let modelThreshold = null;
  let note = 'note';

  // The model's threshold need not be a whole number of steps.
  const isModelThreshold = (value) => modelThreshold !== null && Math.abs(value - modelThreshold) < STEP / 2;
  const show = (value) => {
    range.value = value;
    output.textContent = fraction(value);
    reset.hidden = isModelThreshold(value);
  };
  const set = (value) => {
    show(value);
    onThreshold(isModelThreshold(value) ? null : value);
  };
  const showState = () => {
    byId('threshold-note').textContent = strings.threshold[note];
    range.disabled = modelThreshold === null || note === 'unreadable';
    reset.disabled = range.disabled;
  };

  range.addEventListener('input', () => set(Number(range.value)));
  reset.addEventListener('click', () => {
    range.focus(); // hiding the focused button would lose the focus
    show(modelThreshold);
    onThreshold(null);
  });
  const updateTexts = () => {
    showState();
    if (modelThreshold === null) return;
    reset.textContent = strings.threshold.reset(fraction(modelThreshold));
    output.textContent = fraction(Number(range.value));
  };

  return {
    updateTexts,
    /** Shows the threshold that the visitor set for a model, else the model's own. @param {Model} model @param {number | null} userThreshold */
    setModel({ threshold }, userThreshold = null) {
      modelThreshold = threshold;
      show(userThreshold ?? modelThreshold);
      updateTexts();
    },
    /** Changes the threshold by steps of 0.05. */
    step(direction) {
      if (range.disabled) return;
      set(Math.min(1 - STEP, Math.max(STEP, Math.round(Number(range.value) * 100 + 5 * direction) / 100)));
    },
    /**
     * Explains the effect on the current slice: `note` where pixels are outlined, `closed` where the slice classifier is
     * below its cut-off, `unreadableSlice` where this slice could not be read, `unreadable` where no slice could.
     * @param {'note' | 'closed' | 'unreadableSlice' | 'unreadable'} next
     */
    setState(next) {
      note = next;
      showState();
    },
  };
}
