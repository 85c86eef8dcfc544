// What Ichor is, how far to trust it, and what happens to an image.

import { element } from '../dom.js';
import { strings } from '../strings.js';
import { openDialog } from './dialog.js';

const PARTS = ['what', 'trust', 'image', 'sides', 'offline', 'thanks'];

/** Opens the dialog; `models` are the API's, or none while the server does not answer. */
export function openAbout(models, cardUrl, version) {
  const say = strings.about;
  const part = (name) => element('section', {}, element('h3', {}, say[name][0]), element('p', {}, say[name][1]));
  const card = (model) => element('li', {}, element('a', { href: cardUrl(model), target: '_blank', rel: 'noopener' }, strings.model.card(model.title)));
  openDialog(say.title, ...PARTS.map(part),
    ...(models.length ? [element('section', {}, element('h3', {}, say.cards), element('ul', {}, ...models.map(card)))] : []),
    element('p', { className: 'quiet' }, version));
}
