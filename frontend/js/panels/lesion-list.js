// The outlined areas, largest first, each a button that brings it into the middle.

import { element } from '../dom.js';
import { count, decimal, millilitres, percent } from '../format.js';
import { strings } from '../strings.js';

/** Size in the best unit that is known: ml of a series, mm² of a slice, pixels. */
function size({ volumeMl, areaMm2, areaPx, voxels }, several) {
  const say = strings.findings;
  if (several && volumeMl !== null) return say.ml(millilitres(volumeMl));
  if (!several && areaMm2 !== null) return `${say.mm2(decimal(areaMm2))} (${say.px(count(areaPx))})`;
  return say.px(count(several ? voxels : areaPx));
}

/** Further lengths of the server, or none where the visitor moved the threshold. */
function lengths(measured) {
  if (!measured) return '';
  const say = strings.findings;
  return [
    measured.largest_diameter_mm && say.diameter(decimal(measured.largest_diameter_mm)),
    measured.abc2 && say.abc2(millilitres(measured.abc2.volume_ml)),
  ].filter(Boolean).join(' · ');
}

/**
 * A section with the list, or null when nothing was outlined. `measuredOf(lesion)` gives what the server measured of
 * it, or null; `onLesion(lesion | null)` hears of the choice.
 */
export function lesionList(lesions, { color, several, chosen, measuredOf, onLesion }) {
  if (!lesions.length) return null;
  const say = strings.findings;
  const buttons = lesions.map((lesion) => {
    const number = element('span', { className: 'badge', 'aria-hidden': 'true' }, String(lesion.id));
    number.style.setProperty('--class-color', color);
    const further = [
      several && say.onSlices(lesion.first + 1, lesion.last + 1),
      say.confidence(percent(lesion.probability)),
      several && lengths(measuredOf(lesion)),
    ].filter(Boolean).join(' · ');
    return element('button', { type: 'button', className: 'lesion', 'aria-pressed': String(chosen === lesion.id) },
      number,
      element('span', { className: 'lesion-text' },
        element('span', { className: 'visually-hidden' }, `${say.lesion(lesion.id)}: `),
        element('strong', {}, size(lesion, several)),
        element('span', { className: 'quiet' }, ` ${further}`)));
  });
  buttons.forEach((button, at) => {
    button.addEventListener('click', () => {
      const press = button.getAttribute('aria-pressed') !== 'true';
      for (const other of buttons) other.setAttribute('aria-pressed', String(press && other === button));
      onLesion(press ? lesions[at] : null);
    });
  });
  return element('section', { className: 'lesions' },
    element('h3', {}, say.lesions(lesions.length)),
    element('ol', {}, ...buttons.map((button) => element('li', {}, button))),
    element('p', { className: 'quiet' }, say.lesionsNote));
}
