// Analyses on this device, with the calls and the answers of the server's API (api.js).

import { Problem } from '../api.js';
import { deliverSlices } from '../data/segmentation.js';
import { bytes as formatBytes } from '../format.js';
import { strings } from '../strings.js';
import { fetchModel, fetchModule, keepCatalog } from './files.js';
import { startInstance } from './instance.js';
import { segmentSlices } from './pool.js';

/** The input has more slices than were asked for; nothing was analysed. */
export class TooManySlices extends Error {}

const MAX_INSTANCES = 8;
/** A helper with fewer slices would start later than they are done. */
const MIN_SLICES_PER_INSTANCE = 4;
const NO_PICTURES = { mask: false, overlay: false, probabilities: false, samples: false, every_slice: true };

export function createDevice() {
  /** @type {WebAssembly.Module | null} */
  let module = null;
  /** Files of the models, by name. @type {Map<string, Uint8Array[]>} */
  const models = new Map();
  /** The first one leads: it has the input. @type {DeviceInstance[]} */
  const instances = [];
  /** What the analysis in the lead is of, so that a file is written without another. */
  let analysed = '';
  /** Ends when the lead is free: an analysis and a file do not mix. @type {Promise<unknown>} */
  let turn = Promise.resolve();
  const inTurn = (/** @type {() => Promise<any>} */ work) => {
    const result = turn.then(work);
    turn = result.catch(() => {});
    return result;
  };
  /** @type {Blob | null} */
  let lastFile = null;
  let fileNumber = 0;
  const keyOf = (/** @type {Blob} */ file, /** @type {any} */ { model, threshold, asSeries, series }) => {
    if (file !== lastFile) [lastFile, fileNumber] = [file, fileNumber + 1];
    return JSON.stringify([fileNumber, model, threshold, asSeries, series]);
  };

  /** Fetches what is missing. @param {string} model @param {AbortSignal} signal @param {(done: number, total: number) => void} onBytes */
  async function fetchMissing(model, signal, onBytes) {
    const amounts = [[0, 0], [0, 0]];
    const countBytes = (/** @type {number} */ part) => (/** @type {number} */ done, /** @type {number} */ total) => {
      amounts[part] = [done, total];
      onBytes(amounts[0][0] + amounts[1][0], amounts[0][1] + amounts[1][1]);
    };
    const [compiled, files] = await Promise.all([module ?? fetchModule(signal, countBytes(0)), models.get(model) ?? fetchModel(model, signal, countBytes(1))]);
    module = compiled;
    models.set(model, files);
  }

  /** An instance with a model whose files are there. @param {number} index @param {string} model @param {AbortSignal} [signal] */
  async function instanceWith(index, model, signal) {
    if (!instances[index]?.isRunning) {
      instances[index] = startInstance(/** @type {WebAssembly.Module} */ (module));
      if (index === 0) analysed = '';
    }
    const instance = instances[index];
    if (!instance.models.has(model)) {
      // A call takes its buffers away.
      const files = /** @type {Uint8Array[]} */ (models.get(model)).map((bytes) => bytes.slice());
      const loading = instance.call({ operation: 'load_model', name: model }, files, { signal });
      instance.models.set(model, loading);
      loading.catch(() => instance.models.delete(model)); // as where it was cancelled before it began
    }
    await instance.models.get(model);
    return instance;
  }

  /** The lead with a model, fetched where needed. @param {string} model @param {AbortSignal} signal @param {(done: number, total: number) => void} [onBytes] */
  async function leadWith(model, signal, onBytes = () => {}) {
    await fetchMissing(model, signal, onBytes);
    return instanceWith(0, model, signal);
  }

  /** @param {File} file @param {SegmentOptions} request @returns {Promise<Report>} */
  async function segment(file, request) {
    const { model, asSeries, series, signal, maxSlices = Infinity, onProgress, onSlice } = request;
    const lead = await leadWith(model, signal, (done, total) => onProgress('loading', done, total));
    onProgress('working', 0, 0);
    analysed = '';
    const include = { ...NO_PICTURES, mask: true, probabilities: true, samples: request.needsSamples };
    const input = { operation: 'open', model, request: { as_series: asSeries, series, contours: false }, include };
    const { slices: count, is_single_slice: isSingle } = (await lead.call(input, [new Uint8Array(await file.arrayBuffer())], { signal })).json;
    if (count > maxSlices) throw new TooManySlices();
    const cores = Math.min(navigator.hardwareConcurrency || 1, MAX_INSTANCES, Math.floor(count / MIN_SLICES_PER_INSTANCE));
    const helpers = Array.from({ length: Math.max(0, cores - 1) }, (_, at) => instanceWith(at + 1, model));
    /** @type {Promise<void>[]} */
    const stored = [];
    await segmentSlices(count, {
      lead, helpers, model, signal,
      onSlice: ({ slice, image }) => {
        if (isSingle) return;
        stored.push(onSlice(slice, image));
        onProgress('working', stored.length, count);
      },
    });
    await Promise.all(stored);
    const report = (await lead.call({ operation: 'close', include: isSingle ? include : NO_PICTURES }, [], { signal })).json;
    analysed = keyOf(file, { model, threshold: null, asSeries, series });
    if (isSingle) await deliverSlices(report, request);
    return report;
  }

  /** The last analysis as a file; the input is analysed again where it is not that analysis. @param {Blob} file @param {ExportOptions} options @param {any} format @param {AbortSignal} signal */
  async function exportFile(file, options, format, signal) {
    const { model, threshold, series, asSeries } = options;
    const lead = await leadWith(model, signal);
    if (analysed !== keyOf(file, options)) {
      const request = { operation: 'segment', model, request: { threshold, as_series: asSeries, series, contours: false }, include: NO_PICTURES };
      analysed = '';
      await lead.call(request, [new Uint8Array(await file.arrayBuffer())], { signal });
      analysed = keyOf(file, options);
    }
    return (await lead.call({ operation: 'export', ...format }, [], { signal })).file;
  }

  return {
    /** Segments a file as `segmentFile` does with the server. @param {File} file @param {SegmentOptions} request @returns {Promise<Report>} */
    async segment(file, request) {
      const limit = request.limits.max_upload_bytes ?? request.limits.max_body_bytes;
      if (file.size > limit) {
        const { title, detail } = strings.error.tooLarge;
        throw new Problem({ code: 'payload_too_large', status: 413, title, detail: detail(formatBytes(file.size), formatBytes(limit)) });
      }
      return inTurn(() => segment(file, request));
    },

    /** The masks as DICOM segmentation. @param {Blob} file @param {ExportOptions} options @param {AbortSignal} signal */
    dicomSegmentation: (file, options, signal) => inTurn(async () => {
      // Dates of DICOM have no time zone.
      const created_ms = Date.now() - new Date().getTimezoneOffset() * 60_000;
      return new Blob([await exportFile(file, options, { format: 'dicom_seg', created_ms }, signal)], { type: 'application/dicom' });
    }),

    /** The report as one page of HTML. @param {Blob} file @param {ExportOptions & {language: string}} options @param {AbortSignal} signal */
    printedReport: (file, options, signal) => inTurn(async () =>
      new Blob([await exportFile(file, options, { format: 'report', created_ms: Date.now(), language: options.language }, signal)], { type: 'text/html' })),

    keepCatalog,
  };
}
