// A dialog with a title and a way to close it; Escape closes it too, and focus goes back to where it was.

import { element } from '../dom.js';
import { strings } from '../strings.js';

/** Opens a dialog that holds `content`, and is gone from the page once closed. */
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
