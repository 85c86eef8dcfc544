// What is open: slices with their samples, and what each model said of them.

import { fromBase64 } from './base64.js';
import { decodeGreyPng } from './grey-png.js';
import { isUnmeasurable } from './verdict.js';

/**
 * A study of one head, or of separate pictures. `body` is what is sent, `asSeries` whether its pictures are one head,
 * `series` the number of the series to take of several, or null; `pictures` are separate files, each sent by itself, else null.
 * slices: {index, width, height, spacing | null, placement | null, sided, extentMm | null, unit, samples | null}, where
 * `sided` tells whether left and right are known;
 * answers: by model name {report | null, slices: [{probability | null, readout, mask, probabilities}], reports, problems}:
 * of separate pictures each has its own report, or the problem that it met, and `complete` once all were sent.
 */
export function createStudy({ name, label = null, body = null, several = false, asSeries = false, series = null, pictures = null }) {
  return { name, label, body, several, asSeries, series, pictures, slices: [], answers: new Map(), window: null };
}

/** The study's answer of one model, made where missing. */
export function answerOf(study, model) {
  if (!study.answers.has(model)) study.answers.set(model, { report: null, slices: [], reports: [], problems: [], complete: false });
  return study.answers.get(model);
}

/** The report that speaks for one slice: that of the whole series, or of this picture alone. */
export const reportOf = (study, model, index) => (study.pictures ? study.answers.get(model)?.reports[index] : study.answers.get(model)?.report) ?? null;

/** The one slice of a picture that the browser itself could decode. */
export function sliceOfPicture(picture, index = 0) {
  const { width, height } = picture;
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext('2d', { willReadFrequently: true });
  context.drawImage(picture, 0, 0);
  const { data } = context.getImageData(0, 0, width, height);
  const samples = new Uint8Array(width * height);
  // Rec. 709 luma, as the server turns colour to grey.
  for (let at = 0, to = 0; to < samples.length; at += 4, to += 1) samples[to] = 0.2126 * data[at] + 0.7152 * data[at + 1] + 0.0722 * data[at + 2] + 0.5;
  return { index, width, height, spacing: null, placement: null, sided: false, extentMm: null, unit: 'grey', samples };
}

/**
 * Takes over one slice of an answer: `part` is a one-slice report or a slice of a series, `facts` its image facts.
 * Resolves to its index. Samples that are there already stay.
 */
export async function takeSlice(study, model, part, facts) {
  const index = part.index ?? 0;
  const [samples, mask, probabilities] = await Promise.all([
    part.samples ? samplesOf(part.samples) : null,
    part.mask && part.area_px !== 0 && part.lesions?.length !== 0 ? plane(part.mask) : null,
    part.probabilities ? plane(part.probabilities) : null,
  ]);
  study.window ??= facts?.window ?? null;
  const before = study.slices[index];
  const seen = probabilities ?? mask ?? samples ?? before;
  const width = facts?.width ?? part.width ?? seen.width;
  const height = facts?.height ?? part.height ?? seen.height;
  const fits = before?.samples && before.width === width && before.height === height;
  study.slices[index] = {
    index,
    width,
    height,
    spacing: part.spacing_mm ?? facts?.spacing_mm ?? before?.spacing ?? null,
    placement: part.placement ?? before?.placement ?? null,
    sided: before?.sided ?? false,
    extentMm: part.extent_mm ?? before?.extentMm ?? null,
    unit: samples?.unit ?? (fits ? before.unit : 'grey'),
    samples: samples?.samples ?? (fits ? before.samples : null),
  };
  answerOf(study, model).slices[index] = {
    probability: (part.hemorrhage ?? part).probability ?? null,
    readout: part.readout,
    mask: mask?.samples ?? null,
    probabilities: probabilities?.samples ?? null,
  };
  return index;
}

const plane = ({ base64 }) => decodeGreyPng(fromBase64(base64));

async function samplesOf({ base64, unit, scale, offset }) {
  const { width, height, samples } = await plane({ base64 });
  if (unit !== 'HU') return { width, height, unit, samples };
  const values = new Int16Array(samples.length);
  for (let at = 0; at < samples.length; at += 1) values[at] = samples[at] * scale + offset;
  return { width, height, unit, samples: values };
}

// Codes of the API's warnings under which a place is a guess; a guess must not name sides.
const GUESSED_SIDES = ['orientation_assumed', 'orientation_unusable', 'placement_invalid'];

/**
 * Takes over the answer as a whole, once it is complete. Slices that came before keep their pictures; how probable
 * blood is on them, and whether their masks stand, is known only now that their neighbours are.
 */
export function takeReport(study, model, report, index = 0) {
  const answer = answerOf(study, model);
  if (study.pictures) answer.reports[index] = report;
  else answer.report = report;
  study.window ??= (report.series ?? report.image).window;
  const guessed = report.warnings.some(({ code }) => GUESSED_SIDES.includes(code));
  const unmeasurable = isUnmeasurable(report);
  for (const part of report.slices ?? [{ ...report, index }]) {
    const slice = study.slices[part.index];
    if (!slice) continue;
    slice.placement ??= part.placement ?? null;
    slice.sided = slice.placement !== null && !guessed;
    slice.unmeasurable = unmeasurable;
    slice.extentMm = part.extent_mm ?? slice.extentMm;
    slice.spacing ??= (report.series ?? report.image).spacing_mm;
    if (report.slices) Object.assign(answer.slices[part.index], { probability: part.probability ?? null, readout: part.readout }, part.area_px === 0 && { mask: null });
  }
}
