// The findings panel. What a finding looks like is loaded with the first one.

import { byId, element } from '../dom.js';
import { strings } from '../strings.js';

/** `on`: {lesion(lesion | null), key(), copy(), series(number)}, called for a choice in the list and for the buttons. */
export function createFindings(on) {
  const body = byId('findings-body');
  const status = byId('status');
  const panel = byId('findings');
  let view = null;
  let detailsOpen = true;

  const showOnly = (message) => body.replaceChildren(element('p', { className: 'quiet' }, message));
  const clear = () => {
    panel.removeAttribute('aria-busy');
    showOnly(strings.findings.empty);
  };

  return {
    clear,
    /** Says that there is no answer for what is open. */
    fail() {
      clear();
      showOnly(strings.findings.none);
    },
    /** Takes over the module that draws findings. */
    setView(module) {
      view = module;
    },
    /** Says that an answer is on its way; an older one stays, greyed, where `keep` is set. */
    wait(message, keep) {
      if (!keep) showOnly(message);
      panel.setAttribute('aria-busy', 'true');
    },
    say(message) {
      status.textContent = message;
    },
    /** Shows a finding as `findingNodes` takes it, and says it aloud with `announce`. */
    show(finding, model, announce) {
      panel.removeAttribute('aria-busy');
      body.replaceChildren(...view.findingNodes(finding, model, detailsOpen, { ...on, toggle: (open) => { detailsOpen = open; } }));
      if (announce) status.textContent = view.announcement(finding);
    },
  };
}
