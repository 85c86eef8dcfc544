// Sends one file to a model: a slice by one request, a series by an upload and a job, which delivers slices as they are
// done.

import { Problem, problemOf } from '../api.js';
import { bytes } from '../format.js';
import { strings } from '../strings.js';

const MAX_CONCURRENT = 4; // slices fetched at the same time
const MAX_WAIT_S = 5;

/**
 * Segments `file` and resolves to the report. Progress of the stage 'sending' is in bytes, of 'working' in slices.
 * @param {any} api @param {File} file @param {SegmentOptions} request @returns {Promise<Report>}
 */
export async function segmentFile(api, file, request) {
  const include = ['mask', 'probabilities', request.needsSamples && 'samples', 'every_slice'].filter(Boolean).join();
  const { max_upload_bytes: maxUpload, max_body_bytes: maxBody } = request.limits;
  const usesJob = maxUpload && (request.mayHoldSeveral || file.size > maxBody);
  const limit = usesJob ? maxUpload : maxBody;
  if (file.size > limit) throw tooLarge(file.size, limit);
  return usesJob ? segmentByJob(api, file, request, include) : segmentByRequest(api, file, request, include);
}

/** @param {number} size @param {number} limit */
function tooLarge(size, limit) {
  const { title, detail } = strings.error.tooLarge;
  return new Problem({ code: 'payload_too_large', status: 413, title, detail: detail(bytes(size), bytes(limit)) });
}

/** @param {any} api @param {File} file @param {SegmentOptions} request @param {string} include */
async function segmentByRequest(api, file, request, include) {
  request.onProgress('working', 0, 0);
  const report = await api.segment(file, { model: request.model, include, asSeries: request.asSeries, series: request.series }, request.signal);
  await deliverSlices(report, request);
  return report;
}

/** Passes on the slices of a complete report. @param {Report} report @param {SegmentOptions} request */
export async function deliverSlices(report, { onSlice, signal }) {
  if (!report.series) return onSlice({ ...report, index: 0 }, report.image);
  for (const sliceReport of report.slices ?? []) {
    signal.throwIfAborted();
    await onSlice(sliceReport, report.series);
  }
  return undefined;
}

/** @param {any} api @param {File} file @param {SegmentOptions} request @param {string} include */
async function segmentByJob(api, file, request, include) {
  const { signal } = request;
  // Systems name some types differently; the server reads the format from the bytes.
  const type = request.types.includes(file.type) ? file.type : 'application/octet-stream';
  const upload = await api.createUpload({ content_type: type, size_bytes: file.size, model: request.model, include, ...(request.asSeries && { as_series: true }), ...(request.series !== null && { series: request.series }) }, signal);
  let isDeleted = false;
  const deleteOnce = () => {
    if (!isDeleted) api.deleteJob(upload.job_url);
    isDeleted = true;
  };
  signal.addEventListener('abort', deleteOnce, { once: true });
  try {
    await api.upload(upload.upload, file, { signal, onSent: (sent) => request.onProgress('sending', sent, file.size) });
    return await pollJob(api, upload.job_url, request);
  } finally {
    signal.removeEventListener('abort', deleteOnce);
    // Nothing is left on the server once the page has the result or has given up.
    deleteOnce();
  }
}

/** @param {any} api @param {string} jobUrl @param {SegmentOptions} request @returns {Promise<Report>} */
async function pollJob(api, jobUrl, request) {
  const { signal, onProgress, onSlice } = request;
  const delivered = new Set();
  for (;;) {
    const state = await api.job(jobUrl, firstMissing(delivered), signal);
    if (state.progress) onProgress('working', state.progress.done, state.progress.total);
    const newSlices = (state.slices ?? []).filter(({ index }) => !delivered.has(index));
    await forEachConcurrently(newSlices, async ({ index, url }) => {
      const sliceReport = await api.linked(url, signal);
      await onSlice({ index, ...sliceReport }, sliceReport.image ?? null);
      delivered.add(index);
    });
    if (state.state === 'failed' || state.state === 'expired') throw problemOf(state.error?.status ?? 0, state.error ?? { code: state.state });
    if (state.state === 'done') {
      const report = state.result ?? await api.linked(state.result_url, signal);
      if (!delivered.size) await deliverSlices(report, request);
      return report;
    }
    await wait(Math.min(MAX_WAIT_S, state.retryAfterS) * (newSlices.length ? 250 : 1000), signal);
  }
}

/** The first index that was not delivered; slices finish out of order. @param {Set<number>} delivered */
function firstMissing(delivered) {
  let at = 0;
  while (delivered.has(at)) at += 1;
  return at;
}

/** @param {any[]} list @param {(item: any) => Promise<void>} work */
async function forEachConcurrently(list, work) {
  const queue = [...list];
  const worker = async () => {
    while (queue.length) await work(queue.shift());
  };
  await Promise.all(Array.from({ length: MAX_CONCURRENT }, worker));
}

/** @param {number} ms @param {AbortSignal} signal */
function wait(ms, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => { clearTimeout(timer); reject(new DOMException('cancelled', 'AbortError')); }, { once: true });
  });
}
