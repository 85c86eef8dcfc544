// A finding as text, for the panel, the clipboard and screen readers.

import { count, decimal, fraction, millilitres, percent } from '../format.js';
import { decideDetection, isIncomplete, isUndecided, isUnmeasurable, isUnreadable, countUnreadableSlices } from '../data/verdict.js';
import { strings } from '../strings.js';

// Upper bounds of the first four of the five likelihoods.
const LIKELIHOOD_LIMITS = [0.1, 0.35, 0.65, 0.9];

// Start of an API warning that applies to some slices of a series.
const ON_SLICES = /^On (\d+) of (\d+) slices: (.*)$/s;

/** The probability in words: by the bands of the model, or by fixed limits where it has none. @param {number} probability @param {string | null} [verdict] */
export function likelihoodText(probability, verdict) {
  if (verdict) return strings.findings.verdicts[verdict] ?? verdict;
  const index = LIKELIHOOD_LIMITS.findIndex((limit) => probability < limit);
  return strings.findings.likelihood[index < 0 ? LIKELIHOOD_LIMITS.length : index];
}

/** Whether hemorrhage is outlined at the current threshold; null without an answer. @param {Finding} finding */
export const isDetected = ({ report, totals, threshold }) => decideDetection(report, totals.lesions.length > 0, threshold !== null);

/** The verdict. "No" needs a complete analysis at the model's own threshold. @param {Finding} finding */
export function verdictText(finding) {
  const texts = strings.findings;
  const detected = isDetected(finding);
  if (detected === null && isUndecided(finding.report)) return texts.undecided;
  if (detected === null) return isUnreadable(finding.report) ? texts.unreadable : texts.incomplete;
  if (detected) return texts.detected;
  return finding.report.hemorrhage.detected ? texts.belowThreshold : texts.notDetected;
}

/** The probability as a sentence, or null. @param {Finding} finding */
export function probabilityText(finding) {
  const { report, isSeries } = finding;
  const { probability, verdict } = report.hemorrhage;
  if (isDetected(finding) === null || probability === null) return null;
  return strings.findings[isSeries ? 'probabilitySeries' : 'probability'](percent(probability), likelihoodText(probability, verdict));
}

/** The sentence that qualifies the verdict, or null. @param {Finding} finding */
export function caveatText(finding) {
  const detected = isDetected(finding);
  const { report } = finding;
  if (detected === false) return report.hemorrhage.detected ? strings.findings.ownThreshold : strings.findings.notRuledOut;
  if (detected && isIncomplete(report)) return strings.findings.restNotAnalyzed;
  return detected && (report.hemorrhage.probability ?? 0) < 0.5 ? strings.findings.disagree : null;
}

/** Why there is no answer and what to do; empty where there is one. @param {Finding} finding @returns {{reasons: string[], advice: string[]}} */
export function explainMissingAnswer(finding) {
  const { report, isSeries } = finding;
  if (isDetected(finding) !== null) return { reasons: [], advice: [] };
  const texts = strings.findings;
  if (isUndecided(report)) return { reasons: report.warnings.filter(leavesAnswerOpen).map(warningText), advice: [] };
  const unreadable = isSeries && !isUnreadable(report) ? countUnreadableSlices(report) : 0;
  const reasons = report.warnings.filter(leavesAnswerOpen).map(warningText);
  const hasMissing = !unreadable || report.warnings.some(({ doubt, message }) => doubt === 'incomplete' && !ON_SLICES.test(message));
  if (unreadable && !report.warnings.some(({ message }) => ON_SLICES.test(message))) reasons.push(texts.unreadableSlices(unreadable, report.slices?.length));
  const advice = isUnreadable(report) ? texts.unreadableAdvice : [texts.restNotAnalyzedAdvice, hasMissing ? texts.incompleteAdvice : texts.unreadableSlicesAdvice];
  return { reasons: reasons.length ? reasons : [texts.noReason], advice };
}

/** Other doubts concern only sizes. @param {Warning} warning */
const leavesAnswerOpen = ({ doubt }) => doubt !== undefined && ['unreadable', 'incomplete', 'undecided'].includes(doubt);
/** Warnings with a doubt first. @param {Warning[]} warnings */
const sortWarnings = (warnings) => [...warnings.filter(({ doubt }) => doubt), ...warnings.filter(({ doubt }) => !doubt)];

/** Warnings that are not reasons of a missing answer. @param {Finding} finding */
export const otherWarnings = (finding) => (isDetected(finding) === null ? finding.report.warnings.filter((warning) => !leavesAnswerOpen(warning)) : sortWarnings(finding.report.warnings));

/** The other series of the input, which the API lists only in the text of a warning. @param {Report} report @returns {{number: number, label: string}[]} */
export function listOtherSeries({ warnings }) {
  const choice = warnings.find(({ code }) => code === 'series_chosen');
  const list = choice && /Left out: (.*)\. Take another/s.exec(choice.message);
  if (!list) return [];
  return list[1].split('; ').flatMap((entry) => {
    const parts = /^(\d+) \((.+)\)$/.exec(entry);
    return parts ? [{ number: Number(parts[1]), label: parts[2] }] : [];
  });
}

/** How the grey values were read; null where an older server does not report it. @param {Finding} finding */
export function grayScaleText({ report }) {
  const { gray_scale: scale, estimated_window: window } = report.series ?? report.image;
  const text = strings.findings.scales[scale ?? ''];
  if (!text) return null;
  return strings.findings.readAs(typeof text === 'string' ? text : text(count(window?.center_hu), count(window?.width_hu)));
}

/** Volume of a series or area of a slice. @param {Finding} finding @returns {{name: string, value: string, isSentence: boolean}} */
export function sizeOf({ report, isSeries, totals }) {
  const texts = strings.findings;
  if (isSeries) {
    const isKnown = totals.volumeMl !== null && !isIncomplete(report) && report.volume?.total_volume_ml !== null;
    return { name: texts.volume, value: isKnown ? texts.ml(millilitres(totals.volumeMl)) : unknownVolumeText(report), isSentence: !isKnown };
  }
  const px = texts.px(count(totals.voxels));
  return { name: texts.area, value: totals.areaMm2 === null ? px : texts.mm2(decimal(totals.areaMm2)), isSentence: false };
}

/** @param {Report} report @returns {string} */
function unknownVolumeText(report) {
  const texts = strings.findings;
  if (isIncomplete(report)) return texts.volumeIncomplete;
  return isUnmeasurable(report) ? texts.volumeImplausible : texts.volumeUnknown;
}

/** Name of a type in the language of the page. @param {{code: string, name: string}} subtype @returns {string} */
export const subtypeName = ({ code, name }) => strings.subtypes[code] ?? name;

/** A warning in the language of the page. @param {Warning} warning @returns {string} */
export function warningText({ code, message }) {
  const [, count, all, sentence] = ON_SLICES.exec(message) ?? [null, null, null, message];
  const translation = strings.warnings[code];
  const text = typeof translation === 'function' ? translation(sentence) : translation ?? sentence;
  return count ? strings.findings.onSomeSlices(count, all, text) : text;
}

/** @param {Finding} finding @returns {string} */
export function thresholdText({ report, threshold }) {
  if (isUnreadable(report)) return strings.findings.notApplied;
  const modelThreshold = fraction(report.hemorrhage.threshold);
  return threshold === null ? modelThreshold : strings.findings.thresholdMoved(fraction(threshold), modelThreshold);
}

/** The whole finding as plain text, for the clipboard. @param {Finding} finding @param {{name: string, model: Model, disclaimer: string}} facts */
export function findingText(finding, { name, model, disclaimer }) {
  const texts = strings.findings;
  const { report, totals, isSeries } = finding;
  const { value, name: sizeName } = sizeOf(finding);
  const lesionLine = (/** @type {Lesion} */ lesion) => `${lesion.id}. ${isSeries && lesion.volumeMl !== null ? texts.ml(millilitres(lesion.volumeMl)) : texts.px(count(lesion.voxels))}`
    + (isSeries ? `, ${texts.onSlices(lesion.first + 1, lesion.last + 1)}` : '') + `, ${texts.confidence(percent(lesion.probability))}`;
  return [
    name,
    `${texts.model}: ${model.title} ${report.model.version}; ${texts.threshold}: ${thresholdText(finding)}`,
    '',
    verdictText(finding),
    ...explainMissingAnswer(finding).reasons,
    ...explainMissingAnswer(finding).advice,
    probabilityText(finding),
    caveatText(finding),
    grayScaleText(finding),
    totals.lesions.length ? `${sizeName}: ${value}` : null,
    isSeries && totals.lesions.length ? `${strings.slices.keySlice}: ${strings.slices.position(totals.keySlice + 1, report.series?.slices)}` : null,
    ...totals.lesions.map(lesionLine),
    '',
    ...otherWarnings(finding).map((warning) => `- ${warningText(warning)}`),
    '',
    disclaimer,
  ].filter((line) => line !== null && line !== false).join('\n').replace(/\u00a0/g, ' ').replace(/\n{3,}/g, '\n\n');
}
