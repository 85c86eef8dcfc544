// The findings panel; the module that renders findings is loaded with the first one.

import { byId, element } from '../dom.js';
import { strings } from '../strings.js';

/** @param {Record<'lesion' | 'keySlice' | 'copy' | 'calculators' | 'series', (value?: any) => void>} listeners */
export function createFindings(listeners) {
  const body = byId('findings-body');
  const status = byId('status');
  const panel = byId('findings');
  /** @type {any} */
  let view = null;
  let isDetailsOpen = true;

  const showOnly = (message) => body.replaceChildren(element('p', { className: 'secondary' }, message));
  const clear = () => {
    panel.removeAttribute('aria-busy');
    showOnly(strings.findings.empty);
  };

  return {
    clear,
    /** Shows that the open file has no result. */
    showNoResult() {
      clear();
      showOnly(strings.findings.noResult);
    },
    /** Sets the module that renders findings. */
    setView(module) {
      view = module;
    },
    /** Shows that a result is expected; with `keepsPrevious` the previous one stays, greyed. */
    showWaiting(message, keepsPrevious) {
      if (!keepsPrevious) showOnly(message);
      panel.setAttribute('aria-busy', 'true');
    },
    /** Reports a message to screen readers. */
    announce(message) {
      status.textContent = message;
    },
    /** Shows a finding; with `isAnnounced` also to screen readers. */
    show(finding, model, isAnnounced) {
      panel.removeAttribute('aria-busy');
      body.replaceChildren(...view.renderFinding(finding, model, isDetailsOpen, { ...listeners, toggle: (open) => { isDetailsOpen = open; } }));
      if (isAnnounced) status.textContent = view.announcementText(finding);
    },
  };
}
