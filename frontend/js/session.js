// The open study, each model's result, and the measurements of each result at its threshold.

import { Problem } from './api.js';
import { findPictures, packFiles, sortFiles } from './data/file-set.js';
import { affineOf } from './data/geometry.js';
import { createMeasurements } from './data/measurements.js';
import { resultOf, createStudy, reportOf, sliceFromBitmap, storeReport, storeSlice } from './data/study.js';
import { isIncomplete, isUnreadable } from './data/verdict.js';
import { share } from './format.js';
import { strings } from './strings.js';

/**
 * `thresholds` holds those that the visitor set, by model name. `onAmbiguousPictures` resolves to 'head' or 'separate'.
 * @param {SessionOptions} options
 * @returns {Session}
 */
export function createSession({ location, thresholds, onProgress, onSlice, onMeasurements, onAmbiguousPictures }) {
  let study = null;
  let measurements = new Map();

  const measurementsOf = (name) => {
    const result = study?.results.get(name);
    if (!result) return null;
    if (!measurements.has(name)) measurements.set(name, createMeasurements(study, result, thresholds.get(name) ?? null));
    return measurements.get(name);
  };
  const measure = (name) => {
    const current = measurementsOf(name);
    const isCancelled = () => measurements.get(name) !== current;
    current.computeAll(() => { if (!isCancelled()) onMeasurements(name); }, isCancelled);
  };
  const storePart = async (model, sliceReport, imageInfo) => {
    const target = study;
    const index = await storeSlice(target, model.name, sliceReport, imageInfo);
    if (target !== study) return;
    measurements.get(model.name)?.invalidate(index);
    onSlice(index, model);
  };

  /** Sends one body, whose first slice is `index`; resolves to its report. */
  const analyzeBody = async (target, index, body, model, { limits, media_types: types }, signal) => {
    const analyze = (needsSamples) => location.segment(target, body, {
      model: model.name,
      limits,
      types,
      mayHoldSeveral: target.mayHoldSeveral,
      asSeries: target.asSeries,
      series: target.series,
      needsSamples,
      signal,
      onProgress: (stage, done, total) => { if (target === study && !signal.aborted && !target.pictures) onProgress(describeProgress(stage, done, total, model)); },
      onSlice: (sliceReport, imageInfo) => storePart(model, target.pictures ? { ...sliceReport, index } : sliceReport, imageInfo),
    });
    let { report, isDevice } = await analyze(!target.slices[index]?.samples);
    // Where the server crops or rotates a picture differently, only its own samples match the mask.
    if (!report.series && !target.slices[index]?.samples) ({ report, isDevice } = await analyze(true));
    signal.throwIfAborted();
    resultOf(target, model.name).isDevice = isDevice;
    return report;
  };

  /** Sends separate pictures one by one; one that cannot be used does not stop the others. */
  const analyzePictures = async (target, model, serverInfo, signal) => {
    const result = resultOf(target, model.name);
    for (const [index, picture] of target.pictures.entries()) {
      onProgress({ message: strings.busy.pictures(model.title, index, target.pictures.length), done: index, total: target.pictures.length, slices: target.pictures.length });
      try {
        const body = await openPicture(picture);
        if (!target.slices[index]) await decodeInto(target, index, body);
        signal.throwIfAborted();
        const report = await analyzeBody(target, index, body, model, serverInfo, signal);
        if (report.series) throw new Problem({ code: 'several_pages', status: 422, ...strings.error.severalPages });
        storeReport(target, model.name, report, index);
      } catch (error) {
        if (!(error instanceof Problem) || error.status === 0 || error.status === 429 || error.status >= 500) throw error;
        result.problems[index] = error;
        delete result.slices[index];
      }
    }
    result.isComplete = true;
  };

  return {
    get study() {
      return study;
    },
    close() {
      study = null;
      measurements = new Map();
    },

    /**
     * Opens files: asks whether several pictures are one head, packs several files into one body, and decodes what the
     * browser can. `series` is the API's number of the series to analyze, null for its choice.
     */
    async open(selectedFiles, { label = null, series = null }, signal) {
      const files = selectedFiles.length > 1 ? sortFiles(selectedFiles) : selectedFiles;
      if (!files.length) throw new Problem({ code: 'nothing', ...strings.error.nothing });
      const name = files.length > 1 ? folderName(files) : files[0].name;
      const pictures = await findPictures(files);
      signal.throwIfAborted();
      const grouping = pictures && await onAmbiguousPictures({ count: pictures.length, first: pictures[0].name, last: pictures[pictures.length - 1].name }, signal);
      signal.throwIfAborted();
      let opened;
      if (pictures && grouping === 'separate') {
        opened = createStudy({ name, pictures });
        await openPicture(pictures[0]).then((file) => decodeInto(opened, 0, file), () => {}); // damage is reported when the picture is sent
      } else {
        const onFile = (done) => { if (!signal.aborted) onProgress({ message: strings.busy.packing(done, files.length), done, total: files.length }); };
        const { body, mayHoldSeveral } = await packFiles(pictures && files.length > 1 ? pictures : files, { onFile, signal });
        opened = createStudy({ name, label, body, mayHoldSeveral, asSeries: grouping === 'head', series });
        if (files.length === 1 && !mayHoldSeveral) await decodeInto(opened, 0, body);
      }
      signal.throwIfAborted();
      measurements = new Map();
      study = opened;
    },

    /** Analyzes the study with a model. */
    async analyze(model, serverInfo, signal) {
      const target = study;
      if (target.pictures) await analyzePictures(target, model, serverInfo, signal);
      else {
        const report = await analyzeBody(target, 0, target.body, model, serverInfo, signal);
        storeReport(target, model.name, report);
      }
      measurements.delete(model.name);
      measure(model.name);
    },

    hasResult: (name) => Boolean(study?.results.get(name)?.[study.pictures ? 'isComplete' : 'report']),
    result: (name) => (study ? resultOf(study, name) : null),
    report: (name, index) => (study ? reportOf(study, name, index) : null),
    /** Why the report of a slice gives no answer: 'unreadable', 'incomplete' or null. */
    doubt(name, index) {
      const report = this.report(name, index);
      if (!report) return null;
      return isUnreadable(report) ? 'unreadable' : isIncomplete(report) ? 'incomplete' : null;
    },
    /** Discards the result of a model whose job failed part-way. */
    discardPartialResult(name) {
      study?.results.delete(name);
      measurements.delete(name);
    },
    measurementsOf,
    threshold: (name) => thresholds.get(name) ?? null,
    /** NIfTI cannot hold uneven spacing. */
    get isUnevenlySpaced() {
      return affineOf(study.slices)?.isEven === false;
    },
    /** Sets a model's threshold, null for its own, and measures its result again. */
    setThreshold(name, value) {
      if (value === null) thresholds.delete(name);
      else thresholds.set(name, value);
      measurements.delete(name);
      if (this.hasResult(name)) measure(name);
    },
  };
}

/** @param {string} stage @param {number} done @param {number} total @param {Model} model */
function describeProgress(stage, done, total, { title }) {
  const texts = strings.busy;
  if (stage === 'loading') return { message: texts.loading(share(done / total)), done, total };
  if (stage === 'sending') return { message: texts.sending(share(done / total)), done, total };
  return total > 1 ? { message: texts.slices(title, done, total), done, total, slices: total } : { message: texts.working(title) };
}

/** The folder of the files, else the name of the first. @param {File[]} files */
function folderName(files) {
  const [folder] = (files[0].webkitRelativePath ?? '').split('/');
  return folder || files[0].name;
}

/** The file of a picture, unpacked where it is in a zip. @param {any} picture @returns {Promise<File>} */
async function openPicture(picture) {
  if (!picture.open) return picture;
  return picture.open().catch(() => { throw new Problem({ code: 'undecodable_image', status: 422, ...strings.error.damagedEntry }); });
}

/** Adds the picture as a slice, upright, where the browser can decode it (not DICOM, in most browsers not TIFF). @param {Study} study @param {number} index @param {Blob} blob */
async function decodeInto(study, index, blob) {
  try {
    study.slices[index] = sliceFromBitmap(await createImageBitmap(blob), index);
  } catch { /* the server sends the samples instead */ }
}
