// Progress of the running task over the viewport, with a button to cancel it.

import { byId } from '../dom.js';

export function createBusy({ onCancel }) {
  const panel = byId('busy');
  const progress = byId('busy-progress');
  byId('cancel').addEventListener('click', onCancel);

  return {
    /** Shows a message, and a progress bar where `total` is known. */
    show(message, done = 0, total = 0) {
      byId('busy-text').textContent = message;
      progress.hidden = !total;
      if (total) Object.assign(progress, { max: total, value: done });
      panel.hidden = false;
    },
    hide() {
      // Hiding a focused button would lose the focus.
      if (panel.contains(document.activeElement)) byId('viewport').focus({ preventScroll: true });
      panel.hidden = true;
      byId('busy-text').textContent = '';
    },
  };
}
