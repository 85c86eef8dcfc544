// The sign over the viewport that an answer is on its way, and the way out of it.

import { byId } from './dom.js';

export function createBusy({ onCancel }) {
  const panel = byId('busy');
  byId('cancel').addEventListener('click', onCancel);

  return {
    show(message) {
      byId('busy-text').textContent = message;
      panel.hidden = false;
    },
    hide() {
      // Focus on a button that goes away would be lost: the viewport takes it.
      if (panel.contains(document.activeElement)) byId('viewer').focus({ preventScroll: true });
      panel.hidden = true;
    },
  };
}
