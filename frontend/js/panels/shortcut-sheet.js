// The dialog that lists the keyboard shortcuts, with a switch to disable single keys (WCAG 2.1.4).

import { element } from '../dom.js';
import { strings } from '../strings.js';
import { openDialog } from './dialog.js';

const GROUPS = {
  slices: [['↓', 'next'], ['↑', 'previous'], ['PgDn PgUp', 'jump'], ['Home End', 'ends'], ['K', 'keySlice']],
  image: [['+ −', 'zoom'], ['0', 'fit'], ['⇧←↑↓→', 'pan'], ['1 … 9', 'window'], ['R', 'ruler']],
  overlay: [['O', 'overlay'], ['H', 'heat'], ['[ ]', 'threshold'], ['N P', 'lesion'], ['C', 'compare']],
  page: [['?', 'shortcuts'], ['Esc', 'escape']],
};

/** @param {{enabled: boolean, onEnabled: (enabled: boolean) => void}} options */
export function openShortcutSheet({ enabled, onEnabled }) {
  const texts = strings.shortcuts;
  const keys = (text) => text.split(' ').filter(Boolean).flatMap((key, index) => [index ? ' ' : '', element('kbd', {}, key)]);
  const group = ([name, rows]) => element('section', {},
    element('h3', {}, texts.groups[name]),
    element('dl', {}, ...rows.flatMap(([key, action]) => [element('dt', {}, ...keys(key)), element('dd', {}, texts.keys[action])])));
  const box = element('input', { type: 'checkbox', id: 'shortcuts-enabled', checked: enabled, 'aria-describedby': 'shortcuts-note' });
  box.addEventListener('change', () => onEnabled(box.checked));
  openDialog(texts.title,
    element('label', { className: 'checkbox' }, box, texts.enabled),
    element('p', { className: 'secondary', id: 'shortcuts-note' }, texts.enabledNote),
    element('div', { className: 'keys' }, ...Object.entries(GROUPS).map(group)));
}
