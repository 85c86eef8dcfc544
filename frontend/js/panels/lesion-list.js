// The list of outlined areas, largest first; each is a button that centres it.

import { element } from '../dom.js';
import { count, decimal, millilitres, percent } from '../format.js';
import { strings } from '../strings.js';

/** Size in the best known unit: ml of a series, mm² of a slice, pixels. @param {Lesion} lesion @param {boolean} isSeries */
function sizeText({ volumeMl, areaMm2, areaPx, voxels }, isSeries) {
  const texts = strings.findings;
  if (isSeries && volumeMl !== null) return texts.ml(millilitres(volumeMl));
  if (!isSeries && areaMm2 !== null) return `${texts.mm2(decimal(areaMm2))} (${texts.px(count(areaPx))})`;
  return texts.px(count(isSeries ? voxels : areaPx));
}

/** Lengths that the server measured; it measures at the model's own threshold only. @param {MeasuredLesion | null} measured */
function lengthsText(measured) {
  if (!measured) return '';
  const texts = strings.findings;
  return [
    measured.largest_diameter_mm && texts.diameter(decimal(measured.largest_diameter_mm)),
    measured.abc2 && texts.abc2(millilitres(measured.abc2.volume_ml)),
  ].filter(Boolean).join(' · ');
}

/**
 * The list, or null without lesions. `onLesion(null)` clears the choice.
 * @param {Lesion[]} lesions @param {{color: string, isSeries: boolean, selectedLesion: number | null, measuredLesionOf: (lesion: Lesion) => MeasuredLesion | null, onLesion: (lesion: Lesion | null) => void}} options
 */
export function renderLesionList(lesions, { color, isSeries, selectedLesion, measuredLesionOf, onLesion }) {
  if (!lesions.length) return null;
  const texts = strings.findings;
  const buttons = lesions.map((lesion) => {
    const number = element('span', { className: 'badge', 'aria-hidden': 'true' }, String(lesion.id));
    number.style.setProperty('--class-color', color);
    const details = [
      isSeries && texts.onSlices(lesion.first + 1, lesion.last + 1),
      texts.confidence(percent(lesion.probability)),
      isSeries && lengthsText(measuredLesionOf(lesion)),
    ].filter(Boolean).join(' · ');
    return element('button', { type: 'button', className: 'lesion', 'aria-pressed': String(selectedLesion === lesion.id) },
      number,
      element('span', { className: 'lesion-text' },
        element('span', { className: 'visually-hidden' }, `${texts.lesion(lesion.id)}: `),
        element('strong', {}, sizeText(lesion, isSeries)),
        element('span', { className: 'secondary' }, ` ${details}`)));
  });
  buttons.forEach((button, index) => {
    button.addEventListener('click', () => {
      const isPressed = button.getAttribute('aria-pressed') !== 'true';
      for (const other of buttons) other.setAttribute('aria-pressed', String(isPressed && other === button));
      onLesion(isPressed ? lesions[index] : null);
    });
  });
  return element('section', { className: 'lesions' },
    element('h3', {}, texts.lesions(lesions.length)),
    element('ol', {}, ...buttons.map((button) => element('li', {}, button))),
    element('p', { className: 'secondary' }, texts.lesionsNote));
}
