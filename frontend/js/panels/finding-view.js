// Renders a finding for the panel: text first, then numbers.

import { element } from '../dom.js';
import { decimal, fraction, milliseconds, percent } from '../format.js';
import { hasKnownSides } from '../data/study.js';
import { isUnmeasurable } from '../data/verdict.js';
import { strings } from '../strings.js';
import { isDetected, caveatText, otherWarnings, probabilityText, sizeOf, listOtherSeries, grayScaleText, subtypeName, thresholdText, explainMissingAnswer, verdictText, warningText } from './finding-text.js';
import { renderLesionList } from './lesion-list.js';
import { renderPatterns } from './pattern-list.js';

/**
 * @param {ShownFinding} finding @param {Model} model @param {boolean} isDetailsOpen
 * @param {Record<'lesion' | 'keySlice' | 'copy' | 'calculators' | 'series' | 'toggle', (value?: any) => void>} listeners
 */
export function renderFinding(finding, model, isDetailsOpen, listeners) {
  const { report, totals, isSeries, label, selectedLesion, comparison } = finding;
  // The analysis describes lesions at the model's own threshold only.
  const describedLesionOf = (lesion) => (finding.threshold !== null ? null : isSeries
    ? report.volume?.lesions.find((measured) => measured.voxels === lesion.voxels && measured.first_slice === lesion.first && measured.last_slice === lesion.last)
    : report.lesions?.find((reported) => reported.area_px === lesion.areaPx && Math.abs(reported.centroid.x - lesion.centroid.x) < 0.5 && Math.abs(reported.centroid.y - lesion.centroid.y) < 0.5)) ?? null;
  const typeName = (code) => subtypeName(report.hemorrhage.subtypes?.find((of) => of.code === code) ?? { code, name: code });
  const details = renderDetails(finding, model, isDetailsOpen);
  details.addEventListener('toggle', () => listeners.toggle(details.open));
  const copy = element('button', { type: 'button', className: 'secondary-button' }, strings.findings.copy);
  copy.addEventListener('click', listeners.copy);
  const calculators = element('button', { type: 'button', className: 'secondary-button' }, strings.findings.calculators);
  calculators.addEventListener('click', () => listeners.calculators());
  return [
    renderHeadline(finding),
    label && element('p', { className: 'reference-label' }, strings.findings.label(label)),
    comparison && element('p', { className: 'reference-label' }, strings.findings.otherModel(comparison.title, [verdictText(comparison), totalText(comparison)].filter(Boolean).join(', '))),
    totals.lesions.length ? renderTotals(finding, listeners.keySlice) : null,
    renderLesionList(totals.lesions, { color: model.classes[0].color, isSeries, selectedLesion, describedLesionOf, typeName, hasLengths: !isUnmeasurable(report), hasSides: hasKnownSides(report), onLesion: listeners.lesion }),
    renderSubtypes(isDetected(finding) === null ? [] : report.hemorrhage.subtypes ?? []),
    // They name the lesions of the report, which are those at the model's own threshold.
    renderPatterns((finding.threshold === null && report.patterns) || []),
    renderWarnings(otherWarnings(finding)),
    renderSeriesChoice(listOtherSeries(report), listeners.series),
    details,
    element('div', { className: 'finding-actions' }, copy, calculators),
  ].filter(Boolean);
}

/** The finding in a sentence, for screen readers. @param {Finding} finding @returns {string} */
export function announcementText(finding) {
  const { announce, lesions } = strings.findings;
  if (isDetected(finding) === null) return [verdictText(finding), ...explainMissingAnswer(finding).reasons].join('. ');
  return announce(verdictText(finding), percent(finding.report.hemorrhage.probability), lesions(finding.totals.lesions.length));
}

const totalText = (finding) => (finding.totals.lesions.length ? sizeOf(finding).value : '');

function renderHeadline(finding) {
  const detected = isDetected(finding);
  const { reasons, advice } = explainMissingAnswer(finding);
  const grayScale = grayScaleText(finding);
  // An icon, since colours alone do not separate "no answer" from "no".
  const icon = detected === null ? element('span', { className: 'unknown-icon', 'aria-hidden': 'true' }, '?') : null;
  return element('div', { className: 'headline', dataset: { detected: String(detected) } }, ...[
    element('p', { className: 'verdict' }, icon, verdictText(finding)),
    ...reasons.map((reason) => element('p', { className: 'reason' }, reason)),
    ...advice.map((sentence) => element('p', {}, sentence)),
    probabilityText(finding) && element('p', {}, probabilityText(finding)),
    caveatText(finding) && element('p', { className: 'secondary' }, caveatText(finding)),
    grayScale && element('p', { className: 'secondary read-as' }, grayScale),
  ].filter(Boolean));
}

function renderTotals(finding, onKeySlice) {
  const { isSeries, totals } = finding;
  const { name, value, isSentence } = sizeOf(finding);
  const rows = [[name, value, isSentence]];
  if (isSeries) {
    const key = element('button', { type: 'button', className: 'link-button', 'aria-label': `${strings.slices.keySlice} ${totals.keySlice + 1}` }, String(totals.keySlice + 1));
    key.addEventListener('click', onKeySlice);
    rows.push([strings.slices.keySlice, key, false]);
  }
  return element('dl', { className: 'totals' }, ...rows.map(([term, text, small]) =>
    element('div', {}, element('dt', {}, term), element('dd', { className: small ? 'sentence' : '' }, text))));
}

function renderSubtypes(list) {
  if (!list.length) return null;
  const texts = strings.findings;
  const row = (subtype) => {
    const bar = element('span', { className: 'probability-bar', 'aria-hidden': 'true' });
    bar.style.setProperty('--share', subtype.probability);
    return element('li', {},
      element('span', { className: 'subtype' }, subtypeName(subtype),
        subtype.experimental ? element('small', { className: 'tag' }, texts.experimental) : null),
      element('span', { className: 'number' }, percent(subtype.probability)), bar);
  };
  return element('section', {},
    element('h3', {}, texts.subtypes),
    element('ul', { className: 'subtypes' }, ...list.map(row)),
    list.some(({ experimental }) => experimental) ? element('p', { className: 'secondary' }, texts.subtypesNote) : null);
}

function renderWarnings(list) {
  if (!list?.length) return null;
  return element('section', { className: 'warnings' },
    element('h3', {}, strings.findings.warnings),
    element('ul', {}, ...list.map((warning) => element('li', {}, warningText(warning)))));
}

/** Buttons that open another series of the input. */
function renderSeriesChoice(others, onSeries) {
  if (!others.length) return null;
  const texts = strings.findings;
  const button = ({ number, label }) => {
    const node = element('button', { type: 'button', className: 'secondary-button' }, element('strong', {}, texts.series(number)), ` ${label}`);
    node.addEventListener('click', () => onSeries(number));
    return element('li', {}, node);
  };
  return element('section', { className: 'series-choice' },
    element('h3', {}, texts.otherSeries),
    element('ul', {}, ...others.map(button)));
}

function renderDetails(finding, model, open) {
  const texts = strings.findings;
  const { report } = finding;
  const image = report.series ?? report.image;
  const spacing = image.spacing_mm;
  const rows = [
    [texts.model, `${model.title} ${report.model.version}`],
    [texts.threshold, thresholdText(finding)],
    [texts.spacing, spacing ? texts[isUnmeasurable(report) ? 'spacingImplausible' : 'spacingValue'](...spacing.map(fraction)) : texts.spacingUnknown],
    ...(report.series ? [[texts.slices, texts.slicesValue(report.series.slices, image.slice_spacing_mm && decimal(image.slice_spacing_mm))]] : []),
    [finding.isDevice ? texts.timingsDevice : texts.timings, texts.ms(milliseconds(report.timings_ms.total))],
  ];
  const steps = Object.entries(report.timings_ms).filter(([name]) => name !== 'total');
  return element('details', { className: 'details', open },
    element('summary', {}, texts.details),
    element('dl', {}, ...rows.flatMap(([name, value]) => [element('dt', {}, name), element('dd', {}, value)])),
    element('p', { className: 'secondary' }, steps.map(([name, value]) => `${texts.timing[name] ?? name} ${texts.ms(milliseconds(value))}`).join(' · ')));
}
