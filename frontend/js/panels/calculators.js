// The dialog with the ICH score and the ABC/2 estimate, loaded when it is opened. It asks for what the image cannot show.

import { element } from '../dom.js';
import { abc2Ml, ichScore, inputsOf, MORTALITY } from '../data/ich-score.js';
import { millilitres, share } from '../format.js';
import { language } from '../strings.js';
import { openDialog } from './dialog.js';

/** @param {Nullable<Finding>} finding the current one, which fills in what it knows */
export async function openCalculators(finding) {
  const { default: texts } = await import(`../strings/${language()}-calculators.js`);
  const known = inputsOf(finding);
  const volume = createNumber('calculator-volume', texts.volume, { min: 0, max: 500, step: 'any' }, known.volumeMl, texts);
  openDialog(texts.title, element('p', { className: 'secondary' }, texts.note),
    createScore(texts, known, volume), createAbc2(texts, known, volume));
}

/** A number field with its label; a value of the analysis is marked as such. */
function createNumber(id, label, limits, value, texts) {
  const input = element('input', { type: 'number', id, inputMode: 'decimal', autocomplete: 'off', ...limits });
  const source = element('span', { className: 'secondary', id: `${id}-source` });
  if (value !== null) {
    input.value = String(Math.round(value * 10) / 10);
    source.textContent = texts.fromAnalysis;
    input.setAttribute('aria-describedby', source.id);
  }
  const field = element('p', { className: 'calculator-field' }, element('label', { htmlFor: id }, label), input, source);
  return {
    field,
    input,
    /** The number; null where the field is empty or out of its range. */
    get value() {
      return input.value !== '' && input.validity.valid ? Number(input.value) : null;
    },
    /** Replaces the number, and marks where it comes from. */
    set(number, from) {
      input.value = String(Math.round(number * 10) / 10);
      source.textContent = from;
      input.setAttribute('aria-describedby', source.id);
      input.dispatchEvent(new Event('input', { bubbles: true }));
    },
  };
}

/** Yes, no or unknown, with its label. */
function createChoice(id, label, value, texts) {
  const option = (name) => element('option', { value: name }, texts.answers[name]);
  const select = element('select', { id }, ...['unknown', 'no', 'yes'].map(option));
  const source = element('span', { className: 'secondary', id: `${id}-source` });
  if (value !== null) {
    select.value = value ? 'yes' : 'no';
    source.textContent = texts.fromAnalysis;
    select.setAttribute('aria-describedby', source.id);
  }
  const field = element('p', { className: 'calculator-field' }, element('label', { htmlFor: id }, label), select, source);
  return {
    field,
    get value() {
      return select.value === 'unknown' ? null : select.value === 'yes';
    },
  };
}

function createScore(texts, known, volume) {
  const gcs = createNumber('calculator-gcs', texts.gcs, { min: 3, max: 15, step: 1 }, null, texts);
  const age = createNumber('calculator-age', texts.age, { min: 0, max: 120, step: 1 }, null, texts);
  const ivh = createChoice('calculator-ivh', texts.ivh, known.hasIvh, texts);
  const infratentorial = createChoice('calculator-infratentorial', texts.infratentorial, known.isInfratentorial, texts);
  const result = element('output', { className: 'calculator-result', id: 'calculator-score', htmlFor: 'calculator-gcs calculator-age calculator-volume calculator-ivh calculator-infratentorial' });
  const update = () => {
    const { items, total } = ichScore({ gcs: gcs.value, age: age.value, volumeMl: volume.value, hasIvh: ivh.value, isInfratentorial: infratentorial.value });
    const missing = Object.keys(items).filter((name) => items[name] === null).map((name) => texts.items[name]);
    if (total === null) {
      result.replaceChildren(texts.missing(missing.join(', ')));
      return;
    }
    const mortality = MORTALITY[total];
    result.replaceChildren(element('strong', {}, texts.score(total)), ' ', mortality === null ? texts.noPatients : texts.mortality(share(mortality)));
  };
  const section = element('section', { className: 'calculator' }, element('h3', {}, texts.scoreTitle),
    gcs.field, age.field, volume.field, ivh.field, infratentorial.field, result,
    element('p', { className: 'secondary' }, texts.scoreNote), element('p', { className: 'secondary' }, texts.scoreSource));
  section.addEventListener('input', update);
  update();
  return section;
}

function createAbc2(texts, known, volume) {
  const fields = ['a', 'b', 'c'].map((name, at) => createNumber(`calculator-${name}`, texts.lengths[name], { min: 0, max: 300, step: 'any' }, known.lengths[at], texts));
  const result = element('output', { className: 'calculator-result', id: 'calculator-abc2', htmlFor: 'calculator-a calculator-b calculator-c' });
  const use = element('button', { type: 'button', className: 'secondary-button' }, texts.use);
  const current = () => abc2Ml(fields.map(({ value }) => value));
  const update = () => {
    const ml = current();
    use.disabled = ml === null;
    result.textContent = ml === null ? texts.lengthsMissing : texts.abc2(millilitres(ml));
  };
  use.addEventListener('click', () => {
    const ml = current();
    if (ml !== null) volume.set(ml, texts.fromAbc2);
  });
  const section = element('section', { className: 'calculator' }, element('h3', {}, texts.abc2Title),
    ...fields.map(({ field }) => field), result, use, element('p', { className: 'secondary' }, texts.abc2Source));
  section.addEventListener('input', update);
  update();
  return section;
}
