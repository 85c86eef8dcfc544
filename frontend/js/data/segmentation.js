// One file to a model's answer: a slice by one request, more by an upload and a job, which shows each slice as it
// is done. Which way it goes is nothing that a visitor notices.

import { Problem, problemOf } from '../api.js';
import { bytes } from '../format.js';
import { strings } from '../strings.js';

const AT_A_TIME = 4; // slices that are fetched together
const LONGEST_WAIT_S = 5;

/**
 * Segments `file`. `job`: {model, wantsSamples, several, asSeries, series, limits, types, signal, onSlice(part, facts),
 * onProgress(stage, done, total)}; stages: 'sending' in bytes, 'working' in slices. Resolves to the report.
 */
export async function segmentFile(api, file, job) {
  const include = ['mask', 'probabilities', job.wantsSamples && 'samples', 'every_slice'].filter(Boolean).join();
  const { max_upload_bytes: uploads, max_body_bytes: body } = job.limits;
  const byJob = uploads && (job.several || file.size > body);
  const limit = byJob ? uploads : body;
  if (file.size > limit) throw tooLarge(file.size, limit);
  return byJob ? viaJob(api, file, job, include) : viaRequest(api, file, job, include);
}

function tooLarge(size, limit) {
  const { title, detail } = strings.error.tooLarge;
  return new Problem({ code: 'payload_too_large', status: 413, title, detail: detail(bytes(size), bytes(limit)) });
}

async function viaRequest(api, file, job, include) {
  job.onProgress('working', 0, 0);
  const report = await api.segment(file, { model: job.model, include, asSeries: job.asSeries, series: job.series }, job.signal);
  await takeAll(report, job);
  return report;
}

async function takeAll(report, { onSlice, signal }) {
  if (!report.series) return onSlice(report, report.image);
  for (const part of report.slices) {
    signal.throwIfAborted();
    await onSlice(part, report.series);
  }
  return undefined;
}

async function viaJob(api, file, job, include) {
  const { signal } = job;
  // Systems have names of their own for the same thing; the server reads the format from the bytes.
  const type = job.types.includes(file.type) ? file.type : 'application/octet-stream';
  const announced = await api.announce({ content_type: type, size_bytes: file.size, model: job.model, include, ...(job.asSeries && { as_series: true }), ...(job.series !== null && { series: job.series }) }, signal);
  let deleted = false;
  const cancel = () => {
    if (!deleted) api.deleteJob(announced.job_url);
    deleted = true;
  };
  signal.addEventListener('abort', cancel, { once: true });
  try {
    await api.upload(announced.upload, file, { signal, onSent: (sent) => job.onProgress('sending', sent, file.size) });
    return await follow(api, announced.job_url, job);
  } finally {
    signal.removeEventListener('abort', cancel);
    // Nothing stays behind once the page has it, or has given up.
    cancel();
  }
}

async function follow(api, jobUrl, job) {
  const { signal, onProgress, onSlice } = job;
  const seen = new Set();
  for (;;) {
    const state = await api.job(jobUrl, nextOf(seen), signal);
    if (state.progress) onProgress('working', state.progress.done, state.progress.total);
    const fresh = (state.slices ?? []).filter(({ index }) => !seen.has(index));
    await eachOf(fresh, async ({ index, url }) => {
      const part = await api.linked(url, signal);
      await onSlice({ index, ...part }, part.image ?? null);
      seen.add(index);
    });
    if (state.state === 'failed' || state.state === 'expired') throw problemOf(state.error?.status ?? 0, state.error ?? { code: state.state });
    if (state.state === 'done') {
      const report = state.result ?? await api.linked(state.result_url, signal);
      if (!seen.size) await takeAll(report, job);
      return report;
    }
    await pause(Math.min(LONGEST_WAIT_S, state.retryAfterS) * (fresh.length ? 250 : 1000), signal);
  }
}

/** The first index that has not been seen: slices run in parallel and end out of order. */
function nextOf(seen) {
  let at = 0;
  while (seen.has(at)) at += 1;
  return at;
}

async function eachOf(list, work) {
  const left = [...list];
  const runner = async () => {
    while (left.length) await work(left.shift());
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, runner));
}

function pause(ms, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => { clearTimeout(timer); reject(new DOMException('cancelled', 'AbortError')); }, { once: true });
  });
}
