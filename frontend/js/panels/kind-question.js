// Pictures do not say whether they belong together: the visitor does, each time.

import { element } from '../dom.js';
import { strings } from '../strings.js';
import { openDialog } from './dialog.js';

/**
 * Asks whether `count` pictures, from `first` to `last` by name, are one head. Resolves to 'head' or 'separate', and to
 * null where the dialog is closed without a choice. Aborting `signal` closes it.
 */
export function askKind({ count, first, last }, signal) {
  const say = strings.question;
  return new Promise((resolve) => {
    let chosen = null;
    const choice = (kind) => {
      const [name, detail] = say[kind];
      const button = element('button', { type: 'button', className: 'choice-button', id: `question-${kind}`, autofocus: kind === 'head' },
        element('strong', {}, name), element('span', { className: 'quiet' }, detail));
      button.addEventListener('click', () => {
        chosen = kind;
        dialog.close();
      });
      return button;
    };
    const dialog = openDialog(say.title,
      element('p', { id: 'question-text' }, say.text(count)),
      element('p', { className: 'quiet' }, say.range(first, last)),
      element('div', { className: 'choices' }, choice('head'), choice('separate')));
    dialog.setAttribute('aria-describedby', 'question-text');
    const stop = () => dialog.close();
    signal.addEventListener('abort', stop, { once: true });
    dialog.addEventListener('close', () => {
      signal.removeEventListener('abort', stop);
      resolve(chosen);
    });
  });
}
