// The dialog about Ichor: what it is, its limits, and what happens to an image.

import { element } from '../dom.js';
import { strings } from '../strings.js';
import { openDialog } from './dialog.js';

const PARTS = ['what', 'trust', 'image', 'sides', 'offline', 'thanks'];

/** @param {Model[]} models empty while the server does not respond @param {(model: Model) => string} cardUrl @param {string} version */
export function openAbout(models, cardUrl, version) {
  const texts = strings.about;
  const part = (name) => element('section', {}, element('h3', {}, texts[name][0]), element('p', {}, texts[name][1]));
  const card = (model) => element('li', {}, element('a', { href: cardUrl(model), target: '_blank', rel: 'noopener' }, strings.model.card(model.title)));
  openDialog(texts.title, ...PARTS.map(part),
    ...(models.length ? [element('section', {}, element('h3', {}, texts.cards), element('ul', {}, ...models.map(card)))] : []),
    element('p', { className: 'secondary' }, version));
}
