// The sign over the viewport that an answer is on its way, how far it is, and the way out of it.

import { byId } from '../dom.js';

export function createBusy({ onCancel }) {
  const panel = byId('busy');
  const progress = byId('busy-progress');
  byId('cancel').addEventListener('click', onCancel);

  return {
    /** `done` of `total` fill the bar; without a total there is none. */
    show(message, done = 0, total = 0) {
      byId('busy-text').textContent = message;
      progress.hidden = !total;
      if (total) Object.assign(progress, { max: total, value: done });
      panel.hidden = false;
    },
    hide() {
      // Focus on a button that goes away would be lost: the picture takes it.
      if (panel.contains(document.activeElement)) byId('stage').focus({ preventScroll: true });
      panel.hidden = true;
      byId('busy-text').textContent = '';
    },
  };
}
