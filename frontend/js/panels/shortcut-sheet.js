// The sheet of keys, with the switch that turns single keys off (WCAG 2.1.4).

import { element } from '../dom.js';
import { strings } from '../strings.js';
import { openDialog } from './dialog.js';

const GROUPS = {
  slices: [['↓', 'next'], ['↑', 'previous'], ['PgDn PgUp', 'jump'], ['Home End', 'ends'], ['K', 'key']],
  picture: [['+ −', 'zoom'], ['0', 'fit'], ['⇧←↑↓→', 'pan'], ['1 … 9', 'window'], ['R', 'ruler']],
  marks: [['O', 'marks'], ['H', 'heat'], ['[ ]', 'threshold'], ['N P', 'lesion'], ['C', 'compare']],
  page: [['?', 'sheet'], ['Esc', 'escape']],
};

/** Opens the sheet; `enabled` tells whether keys work, `onEnabled(enabled)` hears of the switch. */
export function openShortcutSheet({ enabled, onEnabled }) {
  const say = strings.shortcuts;
  const keys = (text) => text.split(' ').filter(Boolean).flatMap((key, at) => [at ? ' ' : '', element('kbd', {}, key)]);
  const group = ([name, rows]) => element('section', {},
    element('h3', {}, say.groups[name]),
    element('dl', {}, ...rows.flatMap(([key, what]) => [element('dt', {}, ...keys(key)), element('dd', {}, say.keys[what])])));
  const box = element('input', { type: 'checkbox', id: 'shortcuts-enabled', checked: enabled, 'aria-describedby': 'shortcuts-note' });
  box.addEventListener('change', () => onEnabled(box.checked));
  openDialog(say.title,
    element('label', { className: 'check' }, box, say.enabled),
    element('p', { className: 'quiet', id: 'shortcuts-note' }, say.enabledNote),
    element('div', { className: 'keys' }, ...Object.entries(GROUPS).map(group)));
}
