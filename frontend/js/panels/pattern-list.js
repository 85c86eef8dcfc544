// What a textbook considers for the types and places of the lesions, with its sources.

import { element } from '../dom.js';
import { language, strings } from '../strings.js';

/** @param {Pattern[]} patterns of a report; null where there is nothing to show */
export function renderPatterns(patterns) {
  if (!patterns.length) return null;
  const texts = strings.findings;
  const link = ({ authors, journal, year, doi }) => element('a', { href: `https://doi.org/${encodeURI(doi)}`, target: '_blank', rel: 'noopener noreferrer' }, `${authors}, ${journal} ${year}`);
  const row = ({ lesions, consider, sources }) => element('li', {},
    `${texts.lesion(lesions.join(', '))}: ${consider[language()] ?? consider.en} `,
    element('span', { className: 'secondary' }, ...sources.flatMap((source, at) => (at ? ['; ', link(source)] : [link(source)]))));
  return element('section', { className: 'patterns' },
    element('h3', {}, texts.patterns),
    element('p', { className: 'secondary' }, texts.patternsNote),
    element('ul', {}, ...patterns.map(row)));
}
