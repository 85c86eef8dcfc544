// The outlined areas, largest first, each a button that highlights it on the slice.

import { element } from './dom.js';
import { count, decimal, percent } from './format.js';
import { strings } from './strings.js';

const say = strings.findings;

/** Area in mm² where the spacing is known, always in pixels. */
function area(lesions) {
  const sum = (key) => lesions.reduce((total, lesion) => total + lesion[key], 0);
  const px = say.px(count(sum('area_px')));
  return lesions.some((lesion) => lesion.area_mm2 === null) ? px : `${say.mm2(decimal(sum('area_mm2')))} (${px})`;
}

/** A section with the list, or null when nothing was outlined. */
export function lesionList(lesions, { color }, onLesion) {
  if (!lesions.length) return null;
  const buttons = lesions.map((lesion) => {
    const number = element('span', { className: 'badge', 'aria-hidden': 'true' }, String(lesion.id));
    number.style.setProperty('--class-color', color);
    const volume = lesion.volume_ml === null ? '' : `, ${say.ml(decimal(lesion.volume_ml))}`;
    return element('button', { type: 'button', className: 'lesion', 'aria-pressed': 'false' },
      number,
      element('span', { className: 'lesion-text' },
        element('span', { className: 'visually-hidden' }, `${say.lesion(lesion.id)}: `),
        element('strong', {}, area([lesion]) + volume),
        element('span', { className: 'quiet' }, ` ${say.confidence(percent(lesion.mean_probability))}`)));
  });
  buttons.forEach((button, at) => {
    button.addEventListener('click', () => {
      const chosen = button.getAttribute('aria-pressed') !== 'true';
      for (const other of buttons) other.setAttribute('aria-pressed', String(chosen && other === button));
      onLesion(chosen ? lesions[at].id : null);
    });
  });
  return element('section', { className: 'lesions' },
    element('h3', {}, say.lesions(lesions.length)),
    element('ol', {}, ...buttons.map((button) => element('li', {}, button))),
    element('p', { className: 'quiet' }, [lesions.length > 1 ? `${say.total(area(lesions))}.` : '', say.lesionsNote].join(' ').trim()));
}
