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

// Probabilities from which a type is called likely, or possible.
const [LIKELY, POSSIBLE] = [0.75, 0.4];

/** Place and type: "left frontal, epidural likely". Without sides of the patient, those of the image. @param {DescribedLesion | null} described @param {(code: string) => string} typeName @param {boolean} hasSides */
function descriptionText(described, typeName, hasSides) {
  const texts = strings.findings;
  const { side, depth, region } = described?.location ?? {};
  const where = region ? texts.regions[region] : depth && texts.depths[depth];
  const place = (hasSides ? [[side && texts.sides[side], where].filter(Boolean).join(' ')] : [where, side && texts.imageSides[side]]).filter(Boolean).join(', ');
  const { code, probability } = described?.type ?? {};
  const isNamed = code && (probability ?? 0) >= POSSIBLE;
  const type = isNamed && ((probability ?? 0) >= LIKELY ? texts.typeLikely : texts.typePossible)(typeName(code).toLocaleLowerCase());
  return [place, type || (described?.type && texts.typeUncertain)].filter(Boolean).join(', ');
}

/** Lengths and density, as the analysis measured them. @param {DescribedLesion & Partial<MeasuredLesion> | null} described */
function measuresText(described) {
  if (!described) return '';
  const texts = strings.findings;
  return [
    described.thickness_mm && texts.thickness(decimal(described.thickness_mm)),
    described.largest_diameter_mm && texts.diameter(decimal(described.largest_diameter_mm)),
    described.abc2 && texts.abc2(millilitres(described.abc2.volume_ml)),
    described.density && texts.density(count(described.density.mean_hu)),
  ].filter(Boolean).join(' · ');
}

/**
 * The list, or null without lesions. `onLesion(null)` clears the choice.
 * @param {Lesion[]} lesions @param {{color: string, isSeries: boolean, selectedLesion: number | null, describedLesionOf: (lesion: Lesion) => DescribedLesion | null, typeName: (code: string) => string, hasLengths: boolean, hasSides: boolean, onLesion: (lesion: Lesion | null) => void}} options
 */
export function renderLesionList(lesions, { color, isSeries, selectedLesion, describedLesionOf, typeName, hasLengths, hasSides, onLesion }) {
  if (!lesions.length) return null;
  const texts = strings.findings;
  const buttons = lesions.map((lesion) => {
    const number = element('span', { className: 'badge', 'aria-hidden': 'true' }, String(lesion.id));
    number.style.setProperty('--class-color', color);
    const described = describedLesionOf(lesion);
    const details = [
      descriptionText(described, typeName, hasSides),
      isSeries && texts.onSlices(lesion.first + 1, lesion.last + 1),
      texts.confidence(percent(lesion.probability)),
      hasLengths && measuresText(described),
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
