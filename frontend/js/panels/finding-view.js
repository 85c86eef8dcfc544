// A finding as the panel shows it: in words first and numbers after.

import { element } from '../dom.js';
import { decimal, fraction, milliseconds, percent } from '../format.js';
import { isUnmeasurable } from '../data/verdict.js';
import { strings } from '../strings.js';
import { answerOf, beside, besides, chance, extent, otherSeries, readAs, subtypeName, thresholdText, unknown, verdict, warningText } from './finding-words.js';
import { lesionList } from './lesion-list.js';

/**
 * The nodes of a finding: {report, sums, threshold, several, label, chosen, other} where `other` is the finding beside
 * it, or null. `model` is the API's record of the model, `on` the listeners {lesion, key, copy, series, toggle}.
 */
export function findingNodes(finding, model, detailsOpen, on) {
  const { report, sums, several, label, chosen, other } = finding;
  const measuredOf = (lesion) => (finding.threshold === null && !isUnmeasurable(report) ? report.volume?.lesions.find((one) =>
    one.voxels === lesion.voxels && one.first_slice === lesion.first && one.last_slice === lesion.last) ?? null : null);
  const details = detailsOf(finding, model, detailsOpen);
  details.addEventListener('toggle', () => on.toggle(details.open));
  const copy = element('button', { type: 'button', className: 'copy' }, strings.findings.copy);
  copy.addEventListener('click', on.copy);
  return [
    headline(finding),
    label && element('p', { className: 'truth' }, strings.findings.label(label)),
    other && element('p', { className: 'truth' }, strings.findings.otherModel(other.title, [verdict(other), sumText(other)].filter(Boolean).join(', '))),
    sums.lesions.length ? sumsOf(finding, on.key) : null,
    lesionList(sums.lesions, { color: model.classes[0].color, several, chosen, measuredOf, onLesion: on.lesion }),
    subtypes(answerOf(finding) === null ? [] : report.hemorrhage.subtypes ?? []),
    warnings(besides(finding)),
    seriesChoice(otherSeries(report), on.series),
    details,
    copy,
  ].filter(Boolean);
}

/** The finding in a sentence, for screen readers. */
export function announcement(finding) {
  const { announce, lesions } = strings.findings;
  if (answerOf(finding) === null) return [verdict(finding), ...unknown(finding).reasons].join('. ');
  return announce(verdict(finding), percent(finding.report.hemorrhage.probability), lesions(finding.sums.lesions.length));
}

const sumText = (finding) => (finding.sums.lesions.length ? extent(finding).value : '');

function headline(finding) {
  const answer = answerOf(finding);
  const { reasons, advice } = unknown(finding);
  const words = readAs(finding);
  // A shape of its own, as colours do not tell "not known" from "no".
  const sign = answer === null ? element('span', { className: 'sign', 'aria-hidden': 'true' }, '?') : null;
  return element('div', { className: 'headline', dataset: { detected: String(answer) } }, ...[
    element('p', { className: 'verdict' }, sign, verdict(finding)),
    ...reasons.map((reason) => element('p', { className: 'reason' }, reason)),
    ...advice.map((sentence) => element('p', {}, sentence)),
    chance(finding) && element('p', {}, chance(finding)),
    beside(finding) && element('p', { className: 'quiet' }, beside(finding)),
    words && element('p', { className: 'quiet read-as' }, words),
  ].filter(Boolean));
}

function sumsOf(finding, onKey) {
  const { several, sums } = finding;
  const { name, value, words } = extent(finding);
  const facts = [[name, value, words]];
  if (several) {
    const key = element('button', { type: 'button', className: 'plain', 'aria-label': `${strings.slices.key} ${sums.keySlice + 1}` }, String(sums.keySlice + 1));
    key.addEventListener('click', onKey);
    facts.push([strings.slices.key, key, false]);
  }
  return element('dl', { className: 'sums' }, ...facts.map(([term, text, small]) =>
    element('div', {}, element('dt', {}, term), element('dd', { className: small ? 'words' : '' }, text))));
}

function subtypes(list) {
  if (!list.length) return null;
  const say = strings.findings;
  const row = (subtype) => {
    const bar = element('span', { className: 'bar', 'aria-hidden': 'true' });
    bar.style.setProperty('--share', subtype.probability);
    return element('li', {},
      element('span', { className: 'subtype' }, subtypeName(subtype),
        subtype.experimental ? element('small', { className: 'tag' }, say.experimental) : null),
      element('span', { className: 'number' }, percent(subtype.probability)), bar);
  };
  return element('section', {},
    element('h3', {}, say.subtypes),
    element('ul', { className: 'subtypes' }, ...list.map(row)),
    list.some(({ experimental }) => experimental) ? element('p', { className: 'quiet' }, say.subtypesNote) : null);
}

function warnings(list) {
  if (!list?.length) return null;
  return element('section', { className: 'warnings' },
    element('h3', {}, strings.findings.warnings),
    element('ul', {}, ...list.map((warning) => element('li', {}, warningText(warning)))));
}

/** Buttons that take another series of the input. */
function seriesChoice(others, onSeries) {
  if (!others.length) return null;
  const say = strings.findings;
  const button = ({ number, label }) => {
    const node = element('button', { type: 'button', className: 'copy' }, element('strong', {}, say.series(number)), ` ${label}`);
    node.addEventListener('click', () => onSeries(number));
    return element('li', {}, node);
  };
  return element('section', { className: 'series-choice' },
    element('h3', {}, say.otherSeries),
    element('ul', {}, ...others.map(button)));
}

function detailsOf(finding, model, open) {
  const say = strings.findings;
  const { report } = finding;
  const image = report.series ?? report.image;
  const spacing = image.spacing_mm;
  const facts = [
    [say.model, `${model.title} ${report.model.version}`],
    [say.threshold, thresholdText(finding)],
    [say.spacing, spacing ? say[isUnmeasurable(report) ? 'spacingUnbelieved' : 'spacingValue'](...spacing.map(fraction)) : say.spacingUnknown],
    ...(report.series ? [[say.slices, say.slicesValue(report.series.slices, image.slice_spacing_mm && decimal(image.slice_spacing_mm))]] : []),
    [say.timings, say.ms(milliseconds(report.timings_ms.total))],
  ];
  const steps = Object.entries(report.timings_ms).filter(([name]) => name !== 'total');
  return element('details', { className: 'details', open },
    element('summary', {}, say.details),
    element('dl', {}, ...facts.flatMap(([name, value]) => [element('dt', {}, name), element('dd', {}, value)])),
    element('p', { className: 'quiet' }, steps.map(([name, value]) => `${say.timing[name] ?? name} ${say.ms(milliseconds(value))}`).join(' · ')));
}
