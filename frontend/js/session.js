// What is open and what is known of it: the study, each model's answer, and each answer's reading at a threshold.

import { Problem } from './api.js';
import { asBody, inOrder, mayHoldMany } from './data/files.js';
import { affineOf } from './data/geometry.js';
import { createReading } from './data/reading.js';
import { segmentFile } from './data/segmentation.js';
import { answerOf, createStudy, sliceOfPicture, takeReport, takeSlice } from './data/study.js';
import { share } from './format.js';
import { strings } from './strings.js';

/** `thresholds`: by model, those that the visitor moved. `onProgress({message, done, total, slices})`, `onSlice(index, model)`, `onReading(model)` hear how it goes. */
export function createSession({ api, thresholds, onProgress, onSlice, onReading }) {
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

  return {
    get study() {
      return study;
    },
    close() {
      study = null;
      readings = new Map();
    },

    /** Takes files over: packs several into one, and shows at once what the browser can decode itself. */
    async open(given, label, signal) {
      const files = given.length > 1 ? inOrder(given) : given;
      if (!files.length) throw new Problem({ code: 'nothing', ...strings.error.nothing });
      const packing = (done) => onProgress({ message: strings.busy.packing(done, files.length), done, total: files.length });
      const { body, several } = await asBody(files, { onFile: packing, signal });
      const picture = files.length === 1 && !mayHoldMany(body) ? await decodePicture(body) : null;
      signal.throwIfAborted();
      readings = new Map();
      study = createStudy({ name: files.length > 1 ? folderName(files) : body.name, label, body, count: files.length });
      study.several = several;
      if (picture) study.slices[0] = sliceOfPicture(picture);
    },

    /** Asks a model, unless it has answered already. */
    async ask(model, { limits, media_types: types }, signal) {
      const at = study;
      const ask = (wantsSamples) => segmentFile(api, at.body, {
        model: model.name,
        limits,
        types,
        several: at.several,
        wantsSamples,
        signal,
        onProgress: (stage, done, total) => onProgress(progressOf(stage, done, total, model)),
        onSlice: (part, facts) => take(model, part, facts),
      });
      let report = await ask(!at.slices[0]?.samples);
      // A picture that the server cropped or turned otherwise would carry the mask in the wrong place: its own is taken.
      if (!report.series && !at.slices[0]?.samples) report = await ask(true);
      signal.throwIfAborted();
      takeReport(at, model.name, report);
      readings.delete(model.name);
      read(model.name);
    },

    hasAnswer: (name) => Boolean(study?.answers.get(name)?.report),
    answer: (name) => (study ? answerOf(study, name) : null),
    reading: readingOf,
    threshold: (name) => thresholds.get(name) ?? null,
    /** Whether slices are unevenly spaced, which NIfTI cannot hold. */
    get uneven() {
      return affineOf(study.slices)?.even === false;
    },
    /** Moves a model's threshold, null for its own, and reads its answer anew. */
    setThreshold(name, value) {
      if (value === null) thresholds.delete(name);
      else thresholds.set(name, value);
      readings.delete(name);
      if (study?.answers.get(name)?.report) read(name);
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

/** The picture, upright, or null when the browser cannot decode it (DICOM, a TIFF in most browsers). */
async function decodePicture(blob) {
  try {
    return await createImageBitmap(blob);
  } catch {
    return null;
  }
}
