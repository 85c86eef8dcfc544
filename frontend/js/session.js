// What is open and what is known of it: the study, each model's answer, and each answer's reading at a threshold.

import { Problem } from './api.js';
import { asBody, inOrder, mayHoldMany, pictureSet } from './data/opened.js';
import { affineOf } from './data/geometry.js';
import { createReading } from './data/reading.js';
import { segmentFile } from './data/segmentation.js';
import { answerOf, createStudy, reportOf, sliceOfPicture, takeReport, takeSlice } from './data/study.js';
import { isIncomplete, isUnreadable } from './data/verdict.js';
import { share } from './format.js';
import { strings } from './strings.js';

/**
 * `thresholds`: by model, those that the visitor moved. Calls `onProgress({message, done, total, slices})`, `onSlice(index,
 * model)` and `onReading(model)`; `onQuestion({count, first, last}, signal)` resolves to 'head' or 'separate' for pictures.
 */
export function createSession({ api, thresholds, onProgress, onSlice, onReading, onQuestion }) {
  let study = null;
  let readings = new Map();

  const readingOf = (name) => {
    const answer = study?.answers.get(name);
    if (!answer) return null;
    if (!readings.has(name)) readings.set(name, createReading(study, answer, thresholds.get(name) ?? null));
    return readings.get(name);
  };
  const read = (name) => {
    const reading = readingOf(name);
    const stopped = () => readings.get(name) !== reading;
    reading.finish(() => { if (!stopped()) onReading(name); }, stopped);
  };
  const take = async (model, part, facts) => {
    const at = study;
    const index = await takeSlice(at, model.name, part, facts);
    if (at !== study) return;
    readings.get(model.name)?.forget(index);
    onSlice(index, model);
  };

  /** Sends one body, whose slices begin at `index`; resolves to its report. */
  const askOne = async (at, index, body, model, { limits, media_types: types }, signal) => {
    const ask = (wantsSamples) => segmentFile(api, body, {
      model: model.name,
      limits,
      types,
      several: at.several,
      asSeries: at.asSeries,
      series: at.series,
      wantsSamples,
      signal,
      onProgress: (stage, done, total) => { if (at === study && !signal.aborted && !at.pictures) onProgress(progressOf(stage, done, total, model)); },
      onSlice: (part, facts) => take(model, at.pictures ? { ...part, index } : part, facts),
    });
    let report = await ask(!at.slices[index]?.samples);
    // A picture that the server cropped or turned otherwise would carry the mask in the wrong place: its own is taken.
    if (!report.series && !at.slices[index]?.samples) report = await ask(true);
    signal.throwIfAborted();
    return report;
  };

  /** Sends separate pictures one by one. One that cannot be used takes nothing from the others. */
  const askEach = async (at, model, facts, signal) => {
    const answer = answerOf(at, model.name);
    for (const [index, picture] of at.pictures.entries()) {
      onProgress({ message: strings.busy.pictures(model.title, index, at.pictures.length), done: index, total: at.pictures.length, slices: at.pictures.length });
      try {
        const body = await fileOf(picture);
        if (!at.slices[index]) await decodeInto(at, index, body);
        signal.throwIfAborted();
        const report = await askOne(at, index, body, model, facts, signal);
        if (report.series) throw new Problem({ code: 'several_pages', status: 422, ...strings.error.severalPages });
        takeReport(at, model.name, report, index);
      } catch (error) {
        if (!(error instanceof Problem) || error.status === 0 || error.status === 429 || error.status >= 500) throw error;
        answer.problems[index] = error;
        answer.slices[index] = undefined;
      }
    }
    answer.complete = true;
  };

  return {
    get study() {
      return study;
    },
    close() {
      study = null;
      readings = new Map();
    },

    /**
     * Takes files over: asks what several pictures are, packs several files into one, and shows at once what the browser can
     * decode itself. `series`: which of several series to take, by the API's number.
     */
    async open(given, { label = null, series = null }, signal) {
      const files = given.length > 1 ? inOrder(given) : given;
      if (!files.length) throw new Problem({ code: 'nothing', ...strings.error.nothing });
      const name = files.length > 1 ? folderName(files) : files[0].name;
      const pictures = await pictureSet(files);
      signal.throwIfAborted();
      const kind = pictures && await onQuestion({ count: pictures.length, first: pictures[0].name, last: pictures.at(-1).name }, signal);
      signal.throwIfAborted();
      let opened;
      if (kind === 'separate') {
        opened = createStudy({ name, pictures });
        await fileOf(pictures[0]).then((file) => decodeInto(opened, 0, file), () => {}); // a damaged one is named when it is sent
      } else {
        const packing = (done) => { if (!signal.aborted) onProgress({ message: strings.busy.packing(done, files.length), done, total: files.length }); };
        const { body, several } = await asBody(kind === 'head' && files.length > 1 ? pictures : files, { onFile: packing, signal });
        opened = createStudy({ name, label, body, several, asSeries: kind === 'head', series });
        if (files.length === 1 && !mayHoldMany(body)) await decodeInto(opened, 0, body);
      }
      signal.throwIfAborted();
      readings = new Map();
      study = opened;
    },

    /** Asks a model, unless it has answered already. */
    async ask(model, facts, signal) {
      const at = study;
      if (at.pictures) await askEach(at, model, facts, signal);
      else {
        const report = await askOne(at, 0, at.body, model, facts, signal);
        takeReport(at, model.name, report);
      }
      readings.delete(model.name);
      read(model.name);
    },

    hasAnswer: (name) => Boolean(study?.answers.get(name)?.[study.pictures ? 'complete' : 'report']),
    answer: (name) => (study ? answerOf(study, name) : null),
    report: (name, index) => (study ? reportOf(study, name, index) : null),
    /** What the report that speaks for a slice leaves open: 'unreadable', 'incomplete' or null. */
    doubt(name, index) {
      const report = this.report(name, index);
      if (!report) return null;
      return isUnreadable(report) ? 'unreadable' : isIncomplete(report) ? 'incomplete' : null;
    },
    /** Drops what a model said of some slices only, as when its job failed. */
    dropPart(name) {
      study?.answers.delete(name);
      readings.delete(name);
    },
    reading: readingOf,
    threshold: (name) => thresholds.get(name) ?? null,
    /** Whether slices are unevenly spaced, which NIfTI cannot hold. */
    get uneven() {
      return affineOf(study.slices)?.even === false;
    },
    /** Moves a model's threshold, null for its own, and reads its answer again. */
    setThreshold(name, value) {
      if (value === null) thresholds.delete(name);
      else thresholds.set(name, value);
      readings.delete(name);
      if (this.hasAnswer(name)) read(name);
    },
  };
}

function progressOf(stage, done, total, { title }) {
  const say = strings.busy;
  if (stage === 'sending') return { message: say.sending(share(done / total)), done, total };
  return total > 1 ? { message: say.slices(title, done, total), done, total, slices: total } : { message: say.working(title) };
}

/** The folder of many files, else the first of them. */
function folderName(files) {
  const [folder] = (files[0].webkitRelativePath ?? '').split('/');
  return folder || files[0].name;
}

/** A picture as a file: itself, or out of its zip. */
async function fileOf(picture) {
  if (!picture.open) return picture;
  return picture.open().catch(() => { throw new Problem({ code: 'undecodable_image', status: 422, ...strings.error.damagedEntry }); });
}

/** Puts the picture, upright, into the study; nothing where the browser cannot decode it (DICOM, a TIFF in most browsers). */
async function decodeInto(study, index, blob) {
  try {
    study.slices[index] = sliceOfPicture(await createImageBitmap(blob), index);
  } catch { /* the server sends its samples */ }
}
