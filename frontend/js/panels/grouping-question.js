// Asks whether several pictures are one head, which pictures do not state.

import { element } from '../dom.js';
import { strings } from '../strings.js';
import { openDialog } from './dialog.js';

/**
 * Resolves to null where the dialog is closed without a choice. Aborting `signal` closes it.
 * @param {{count: number, first: string, last: string}} pictures @param {AbortSignal} signal @returns {Promise<'head' | 'separate' | null>}
 */
export function askGrouping({ count, first, last }, signal) {
  const texts = strings.question;
  return new Promise((resolve) => {
    /** @type {any} */
    let grouping = null;
    const choice = (option) => {
      const [name, detail] = texts[option];
      const button = element('button', { type: 'button', className: 'choice-button', id: `question-${option}`, autofocus: option === 'head' },
        element('strong', {}, name), element('span', { className: 'secondary' }, detail));
      button.addEventListener('click', () => {
        grouping = option;
        dialog.close();
      });
      return button;
    };
    const dialog = openDialog(texts.title,
      element('p', { id: 'question-text' }, texts.text(count)),
      element('p', { className: 'secondary' }, texts.range(first, last)),
      element('div', { className: 'choices' }, choice('head'), choice('separate')));
    dialog.setAttribute('aria-describedby', 'question-text');
    const close = () => dialog.close();
    signal.addEventListener('abort', close, { once: true });
    dialog.addEventListener('close', () => {
      signal.removeEventListener('abort', close);
      resolve(grouping);
    });
  });
}
