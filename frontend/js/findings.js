// The findings: what was found, in words first and numbers after.

import { byId, element } from './dom.js';
import { fraction, milliseconds, percent } from './format.js';
import { lesionList } from './lesion-list.js';
import { strings } from './strings.js';

const say = strings.findings;
// Upper ends of the first four of the five wordings.
const WORD_LIMITS = [0.1, 0.35, 0.65, 0.9];

/** The probability in words. */
export function inWords(probability) {
  const at = WORD_LIMITS.findIndex((limit) => probability < limit);
  return say.words[at < 0 ? WORD_LIMITS.length : at];
}

/** Calls `onLesion(id | null)` when a lesion is chosen in the list. */
export function createFindings({ onLesion }) {
  const body = byId('findings-body');
  const status = byId('status');
  const panel = byId('findings');

  const showOnly = (message) => body.replaceChildren(element('p', { className: 'quiet' }, message));
  const clear = () => {
    panel.removeAttribute('aria-busy');
    showOnly(say.empty);
  };
  clear();

  return {
    clear,
    /** Says that an answer is on its way; an older one stays, greyed, where `keep` is set. */
    wait(message, keep) {
      if (!keep) showOnly(message);
      panel.setAttribute('aria-busy', 'true');
      status.textContent = message;
    },
    say(message) {
      status.textContent = message;
    },
    /** Shows a report; `model` is the API's record of the model, `label` the sample's, or null. */
    show(report, model, label) {
      panel.removeAttribute('aria-busy');
      body.replaceChildren(...[
        headline(report.hemorrhage),
        label && element('p', { className: 'truth' }, say.label(label)),
        lesionList(report.lesions, model.classes[0], onLesion),
        subtypes(report.hemorrhage.subtypes ?? []),
        warnings(report.warnings),
        details(report, model),
      ].filter(Boolean));
      status.textContent = say.announce(headlineText(report.hemorrhage), percent(report.hemorrhage.probability), say.lesions(report.lesions.length));
    },
  };
}

/** `detected` is null where the model was not made for the kind of image: that is no "clear". */
const headlineText = ({ detected }) =>
  detected === null ? say.unsuitable : detected ? say.detected : say.clear;

/** What must be said beside the chance, or null. */
function caution({ detected, probability }) {
  if (detected === false) return say.notRuledOut;
  return detected && probability < 0.5 ? say.disagree : null;
}

function headline(hemorrhage) {
  const { detected, probability } = hemorrhage;
  const beside = caution(hemorrhage);
  return element('div', { className: 'headline', dataset: { detected: String(detected) } }, ...[
    element('p', { className: 'verdict' }, headlineText(hemorrhage)),
    detected !== null && element('p', {}, say.chance(percent(probability), inWords(probability))),
    beside && element('p', { className: 'quiet' }, beside),
  ].filter(Boolean));
}

function subtypes(list) {
  if (!list.length) return null;
  const row = ({ name, probability, experimental }) => {
    const bar = element('span', { className: 'bar', 'aria-hidden': 'true' });
    bar.style.setProperty('--share', probability);
    return element('li', {},
      element('span', { className: 'subtype' }, name,
        experimental ? element('small', { className: 'tag' }, say.experimental) : null),
      element('span', { className: 'number' }, percent(probability)), bar);
  };
  return element('section', {},
    element('h3', {}, say.subtypes),
    element('ul', { className: 'subtypes' }, ...list.map(row)),
    list.some(({ experimental }) => experimental) ? element('p', { className: 'quiet' }, say.subtypesNote) : null);
}

function warnings(list) {
  if (!list?.length) return null;
  return element('section', { className: 'warnings' },
    element('h3', {}, say.warnings),
    element('ul', {}, ...list.map(({ message }) => element('li', {}, message))));
}

function details(report, model) {
  const spacing = report.image.spacing_mm;
  const facts = [
    [say.model, `${model.title} ${report.model.version}`],
    [say.threshold, fraction(report.hemorrhage.threshold)],
    [say.spacing, spacing ? say.spacingValue(...[spacing].flat().map(fraction)) : say.spacingUnknown],
    [say.timings, say.ms(milliseconds(report.timings_ms.total))],
  ];
  const steps = Object.entries(report.timings_ms).filter(([name]) => name !== 'total');
  return element('details', { className: 'details', open: true },
    element('summary', {}, say.details),
    element('dl', {}, ...facts.flatMap(([name, value]) => [element('dt', {}, name), element('dd', {}, value)])),
    element('p', { className: 'quiet' }, steps.map(([name, value]) => `${say.timing[name] ?? name} ${say.ms(milliseconds(value))}`).join(' · ')));
}
