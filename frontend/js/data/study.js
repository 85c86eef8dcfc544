// Holds the open study: slices with their samples, and each model's result.

import { fromBase64 } from './base64.js';
import { decodeGreyPng } from './png-reader.js';
import { isUnmeasurable } from './verdict.js';

/** @param {Partial<Study> & {name: string}} study @returns {Study} */
export function createStudy({ name, label = null, body = null, mayHoldSeveral = false, asSeries = false, series = null, pictures = null }) {
  return { name, label, body, mayHoldSeveral, asSeries, series, pictures, slices: [], results: new Map(), window: null, needsServer: false };
}

/** The result of one model, created where missing. @param {Study} study @param {string} model @returns {Result} */
export function resultOf(study, model) {
  if (!study.results.has(model)) study.results.set(model, { report: null, slices: [], reports: [], problems: [], isComplete: false, isDevice: false });
  return /** @type {Result} */ (study.results.get(model));
}

/** The report that covers a slice: of the series, or of the separate picture. @param {Study} study @param {string} model @param {number} index @returns {Report | null} */
export const reportOf = (study, model, index) => (study.pictures ? study.results.get(model)?.reports[index] : study.results.get(model)?.report) ?? null;

/** @param {ImageBitmap} picture @param {number} index @returns {Slice} */
export function sliceFromBitmap(picture, index = 0) {
  const { width, height } = picture;
  const canvas = new OffscreenCanvas(width, height);
  const context = /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext('2d', { willReadFrequently: true }));
  context.drawImage(picture, 0, 0);
  const { data } = context.getImageData(0, 0, width, height);
  const samples = new Uint8Array(width * height);
  // Rec. 709 luma, as on the server.
  for (let at = 0, to = 0; to < samples.length; at += 4, to += 1) samples[to] = 0.2126 * data[at] + 0.7152 * data[at + 1] + 0.0722 * data[at + 2] + 0.5;
  return { index, width, height, spacing: null, placement: null, hasKnownSides: false, extentMm: null, unit: 'grey', samples };
}

/**
 * Stores one slice and resolves to its index. Samples that the page has already are kept.
 * @param {Study} study @param {string} model @param {SliceReport} sliceReport @param {ImageInfo | null} imageInfo
 */
export async function storeSlice(study, model, sliceReport, imageInfo) {
  const index = sliceReport.index ?? 0;
  const [samples, mask, probabilities] = await Promise.all([
    sliceReport.samples ? decodeSamples(sliceReport.samples) : null,
    sliceReport.mask && sliceReport.area_px !== 0 && sliceReport.lesions?.length !== 0 ? decodePlane(sliceReport.mask) : null,
    sliceReport.probabilities ? decodePlane(sliceReport.probabilities) : null,
  ]);
  study.window ??= imageInfo?.window ?? null;
  const previous = study.slices[index];
  const decoded = probabilities ?? mask ?? samples ?? previous;
  const width = imageInfo?.width ?? sliceReport.width ?? decoded.width;
  const height = imageInfo?.height ?? sliceReport.height ?? decoded.height;
  const hasSameSize = previous?.samples && previous.width === width && previous.height === height;
  study.slices[index] = {
    index,
    width,
    height,
    spacing: sliceReport.spacing_mm ?? imageInfo?.spacing_mm ?? previous?.spacing ?? null,
    placement: sliceReport.placement ?? previous?.placement ?? null,
    hasKnownSides: previous?.hasKnownSides ?? false,
    extentMm: sliceReport.extent_mm ?? previous?.extentMm ?? null,
    unit: samples?.unit ?? (hasSameSize ? previous.unit : 'grey'),
    samples: samples?.samples ?? (hasSameSize ? previous.samples : null),
  };
  resultOf(study, model).slices[index] = {
    probability: (sliceReport.hemorrhage ?? sliceReport).probability ?? null,
    readout: sliceReport.readout,
    mask: mask?.samples ?? null,
    probabilities: probabilities?.samples ?? null,
  };
  return index;
}

/** @param {EncodedImage} image */
const decodePlane = ({ base64 }) => decodeGreyPng(fromBase64(base64));

/** @param {EncodedSamples} samples */
async function decodeSamples({ base64, unit, scale, offset }) {
  const { width, height, samples } = await decodePlane({ base64 });
  if (unit !== 'HU') return { width, height, unit, samples };
  const values = new Int16Array(samples.length);
  for (let at = 0; at < samples.length; at += 1) values[at] = samples[at] * scale + offset;
  return { width, height, unit, samples: values };
}

// Warning codes under which the placement is assumed, so that left and right must not be shown.
const UNCERTAIN_SIDES = ['orientation_assumed', 'orientation_unusable', 'placement_invalid'];

/** Whether the file says left and right, but not for sure. @param {Report} report */
const hasUncertainSides = (report) => report.warnings.some(({ code }) => UNCERTAIN_SIDES.includes(code));

/** Whether left and right of the patient are known on every slice. @param {Report} report */
export const hasKnownSides = (report) => !hasUncertainSides(report) && (report.slices ?? [report]).every(({ placement }) => placement);

/**
 * Stores the complete report. Probabilities and masks of slices that were delivered before can change with it, since the
 * series chain smooths over all slices.
 * @param {Study} study @param {string} model @param {Report} report
 */
export function storeReport(study, model, report, index = 0) {
  const result = resultOf(study, model);
  if (study.pictures) result.reports[index] = report;
  else result.report = report;
  study.window ??= (report.series ?? report.image).window;
  const areSidesUncertain = hasUncertainSides(report);
  const hasImplausibleSpacing = isUnmeasurable(report);
  for (const sliceReport of report.slices ?? [{ ...report, index }]) {
    const slice = study.slices[sliceReport.index];
    if (!slice) continue;
    slice.placement ??= sliceReport.placement ?? null;
    slice.hasKnownSides = slice.placement !== null && !areSidesUncertain;
    slice.hasImplausibleSpacing = hasImplausibleSpacing;
    slice.extentMm = sliceReport.extent_mm ?? slice.extentMm;
    slice.spacing ??= (report.series ?? report.image).spacing_mm;
    if (report.slices) Object.assign(result.slices[sliceReport.index], { probability: sliceReport.probability ?? null, readout: sliceReport.readout }, sliceReport.area_px === 0 && { mask: null });
  }
}
