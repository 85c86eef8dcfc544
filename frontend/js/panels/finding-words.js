// A finding in words, for the panel, the clipboard and screen readers alike.

import { count, decimal, fraction, millilitres, percent } from '../format.js';
import { detectedIn, isIncomplete, isUndecided, isUnmeasurable, isUnreadable, unreadSlices } from '../data/verdict.js';
import { strings } from '../strings.js';

// Upper ends of the first four of the five wordings.
const WORD_LIMITS = [0.1, 0.35, 0.65, 0.9];

// How the API begins a warning that some slices of a series have, and others do not.
const OF_SLICES = /^On (\d+) of (\d+) slices: (.*)$/s;

/** The probability in words. */
export function inWords(probability) {
  const at = WORD_LIMITS.findIndex((limit) => probability < limit);
  return strings.findings.words[at < 0 ? WORD_LIMITS.length : at];
}

/** Whether hemorrhage is outlined at the threshold that is set: true, false, or null where that cannot be said. */
export const answerOf = ({ report, sums, threshold }) => detectedIn(report, sums.lesions.length > 0, threshold !== null);

/** The verdict in a few words. "No" is said only of what was analysed, and at the model's own threshold or with its consent. */
export function verdict(finding) {
  const say = strings.findings;
  const answer = answerOf(finding);
  if (answer === null && isUndecided(finding.report)) return say.undecided;
  if (answer === null) return isUnreadable(finding.report) ? say.unreadable : say.incomplete;
  if (answer) return say.detected;
  return finding.report.hemorrhage.detected ? say.belowThreshold : say.clear;
}

/** The chance in a sentence, or null where nothing is said. */
export function chance(finding) {
  const { report, several } = finding;
  const { probability } = report.hemorrhage;
  if (answerOf(finding) === null || probability === null) return null;
  return strings.findings[several ? 'chanceSeries' : 'chance'](percent(probability), inWords(probability));
}

/** What must be said beside the chance, or null. */
export function beside(finding) {
  const answer = answerOf(finding);
  const { report } = finding;
  if (answer === false) return report.hemorrhage.detected ? strings.findings.ownThreshold : strings.findings.notRuledOut;
  if (answer && isIncomplete(report)) return strings.findings.restUnknown;
  return answer && report.hemorrhage.probability < 0.5 ? strings.findings.disagree : null;
}

/** What a verdict of `null` means and what to do: sentences, the reasons of the API first. Empty where there is an answer. */
export function unknown(finding) {
  const { report, several } = finding;
  if (answerOf(finding) !== null) return { reasons: [], advice: [] };
  const say = strings.findings;
  if (isUndecided(report)) return { reasons: report.warnings.filter(isDoubtful).map(warningText), advice: [] };
  const unread = several && !isUnreadable(report) ? unreadSlices(report) : 0;
  const reasons = report.warnings.filter(isDoubtful).map(warningText);
  const missing = !unread || report.warnings.some(({ doubt, message }) => doubt === 'incomplete' && !OF_SLICES.test(message));
  if (unread && !report.warnings.some(({ message }) => OF_SLICES.test(message))) reasons.push(say.unreadSlices(unread, report.slices.length));
  const advice = isUnreadable(report) ? say.unreadableAdvice : [say.restAdvice, missing ? say.incompleteAdvice : say.unreadSlicesAdvice];
  return { reasons: reasons.length ? reasons : [say.noReason], advice };
}

/** Whether a warning leaves the answer itself in doubt; others may doubt sizes alone. */
const isDoubtful = ({ doubt }) => ['unreadable', 'incomplete', 'undecided'].includes(doubt);
/** Warnings that take something back come first. */
const inOrder = (warnings) => [...warnings.filter(({ doubt }) => doubt), ...warnings.filter(({ doubt }) => !doubt)];

/** The warnings that are not among the reasons of a verdict of `null`. */
export const besides = (finding) => (answerOf(finding) === null ? finding.report.warnings.filter((warning) => !isDoubtful(warning)) : inOrder(finding.report.warnings));

/** The other series that the input held, {number, label}, as the API's warning of its choice lists them; empty where it lists none. */
export function otherSeries({ warnings }) {
  const chosen = warnings.find(({ code }) => code === 'series_chosen');
  const list = chosen && /Left out: (.*)\. Take another/s.exec(chosen.message);
  if (!list) return [];
  return list[1].split('; ').map((one) => /^(\d+) \((.+)\)$/.exec(one)).filter(Boolean).map(([, number, label]) => ({ number: Number(number), label }));
}

/** How the grey values were read, in a line; null where an older server does not say. */
export function readAs({ report }) {
  const { gray_scale: scale, estimated_window: window } = report.series ?? report.image;
  const say = strings.findings.scales[scale];
  if (!say) return null;
  return strings.findings.readAs(typeof say === 'string' ? say : say(count(window.center_hu), count(window.width_hu)));
}

/** Volume of a series or area of a slice: {name, value, words: whether it is a sentence}. */
export function extent({ report, several, sums }) {
  const say = strings.findings;
  if (several) {
    const known = sums.volumeMl !== null && !isIncomplete(report) && report.volume?.total_volume_ml !== null;
    return { name: say.volume, value: known ? say.ml(millilitres(sums.volumeMl)) : whyUnknown(report), words: !known };
  }
  const px = say.px(count(sums.voxels));
  return { name: say.area, value: sums.areaMm2 === null ? px : say.mm2(decimal(sums.areaMm2)), words: false };
}

function whyUnknown(report) {
  const say = strings.findings;
  if (isIncomplete(report)) return say.unknownRest;
  return isUnmeasurable(report) ? say.unknownSize : say.unknownVolume;
}

/** The API's name of a type in the visitor's language. */
export const subtypeName = ({ code, name }) => strings.subtypes[code] ?? name;

/** A warning in plain words. */
export function warningText({ code, message }) {
  const [, count, all, sentence] = OF_SLICES.exec(message) ?? [null, null, null, message];
  const say = strings.warnings[code];
  const text = typeof say === 'function' ? say(sentence) : say ?? sentence;
  return count ? strings.findings.ofSlices(count, all, text) : text;
}

export function thresholdText({ report, threshold }) {
  if (isUnreadable(report)) return strings.findings.notApplied;
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
    ...unknown(finding).reasons,
    ...unknown(finding).advice,
    chance(finding),
    beside(finding),
    readAs(finding),
    sums.lesions.length ? `${what}: ${value}` : null,
    several && sums.lesions.length ? strings.slices.of(sums.keySlice + 1, report.series.slices).replace(/^/, `${strings.slices.key}: `) : null,
    ...sums.lesions.map(lesion),
    '',
    ...besides(finding).map((warning) => `- ${warningText(warning)}`),
    '',
    disclaimer,
  ].filter((line) => line !== null && line !== false).join('\n').replace(/\u00a0/g, ' ').replace(/\n{3,}/g, '\n\n');
}
