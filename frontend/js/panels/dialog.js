// A dialog with a title and a close button; Escape closes it, and the focus returns to where it was.

import { element } from '../dom.js';
import { strings } from '../strings.js';

/** Opens a dialog, which is removed when it is closed. */
export function openDialog(title, ...content) {
  const close = element('button', { type: 'button' }, strings.page.close);
  const heading = element('h2', { id: 'dialog-title' }, title);
  const dialog = element('dialog', { 'aria-labelledby': 'dialog-title' },
    element('div', { className: 'dialog-head' }, heading, close),
    element('div', { className: 'dialog-body' }, ...content));
  close.addEventListener('click', () => dialog.close());
  dialog.addEventListener('click', (event) => { if (event.target === dialog) dialog.close(); });
  dialog.addEventListener('close', () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}
