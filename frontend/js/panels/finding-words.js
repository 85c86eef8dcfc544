// A finding in words, for the panel, the clipboard and screen readers alike.

import { count, decimal, fraction, millilitres, percent } from '../format.js';
import { strings } from '../strings.js';

// Upper ends of the first four of the five wordings.
const WORD_LIMITS = [0.1, 0.35, 0.65, 0.9];

/** The probability in words. */
export function inWords(probability) {
  const at = WORD_LIMITS.findIndex((limit) => probability < limit);
  return strings.findings.words[at < 0 ? WORD_LIMITS.length : at];
}

/** Whether there is hemorrhage at this threshold; null where the model was not made for the kind of image. */
export const detectedIn = ({ report, sums }) => (report.hemorrhage.detected === null ? null : sums.lesions.length > 0);

/** The verdict in a few words. "Clear" is no word for a kind of image that the model was not made for. */
export function verdict(finding) {
  const detected = detectedIn(finding);
  const say = strings.findings;
  return detected === null ? say.unsuitable : detected ? say.detected : say.clear;
}

/** The chance in a sentence, or null where nothing is said. */
export function chance(finding) {
  const { report, several } = finding;
  if (detectedIn(finding) === null) return null;
  const { probability } = report.hemorrhage;
  return strings.findings[several ? 'chanceSeries' : 'chance'](percent(probability), inWords(probability));
}

/** What must be said beside the chance, or null. */
export function beside(finding) {
  const detected = detectedIn(finding);
  if (detected === false) return strings.findings.notRuledOut;
  return detected && finding.report.hemorrhage.probability < 0.5 ? strings.findings.disagree : null;
}

/** Volume of a series or area of a slice: {name, value, words: whether it is a sentence}. */
export function extent({ several, sums }) {
  const say = strings.findings;
  if (several) {
    const known = sums.volumeMl !== null;
    return { name: say.volume, value: known ? say.ml(millilitres(sums.volumeMl)) : say.unknownVolume, words: !known };
  }
  const px = say.px(count(sums.voxels));
  return { name: say.area, value: sums.areaMm2 === null ? px : say.mm2(decimal(sums.areaMm2)), words: false };
}

/** The API's name of a type in the visitor's language. */
export const subtypeName = ({ code, name }) => strings.subtypes[code] ?? name;

/** A warning in plain words. */
export const warningText = ({ code, message }) => strings.warnings[code] ?? message;

export function thresholdText({ report, threshold }) {
  const own = fraction(report.hemorrhage.threshold);
  return threshold === null ? own : strings.findings.moved(fraction(threshold), own);
}

/** All of it as plain text, for the clipboard. */
export function findingText(finding, { name, model, disclaimer }) {
  const say = strings.findings;
  const { report, sums, several } = finding;
  const { value, name: what } = extent(finding);
  const lesion = (one) => `${one.id}. ${several && one.volumeMl !== null ? say.ml(millilitres(one.volumeMl)) : say.px(count(one.voxels))}`
    + (several ? `, ${say.onSlices(one.first + 1, one.last + 1)}` : '') + `, ${say.confidence(percent(one.probability))}`;
  return [
    name,
    `${say.model}: ${model.title} ${report.model.version}; ${say.threshold}: ${thresholdText(finding)}`,
    '',
    verdict(finding),
    chance(finding),
    beside(finding),
    sums.lesions.length ? `${what}: ${value}` : null,
    several && sums.lesions.length ? strings.slices.of(sums.keySlice + 1, report.series.slices).replace(/^/, `${strings.slices.key}: `) : null,
    ...sums.lesions.map(lesion),
    '',
    ...report.warnings.map((warning) => `- ${warningText(warning)}`),
    '',
    disclaimer,
  ].filter((line) => line !== null && line !== false).join('\n').replace(/\u00a0/g, ' ').replace(/\n{3,}/g, '\n\n');
}
