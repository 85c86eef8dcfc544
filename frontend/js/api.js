// Client of the HTTP API, one method per route, with one error type.

import { strings } from './strings.js';

/** An error with the members of an RFC 9457 problem. */
export class Problem extends Error {
  /** @param {{code: string, title: string, detail: string, status?: number, requestId?: string | null}} problem */
  constructor({ code, title, detail, status = 0, requestId = null }) {
    super(title);
    this.name = 'Problem';
    this.code = code;
    this.title = title;
    this.detail = detail;
    this.status = status;
    this.requestId = requestId;
  }
}

/** @param {string} base URL of the API; empty for the origin that serves the page */
export function createApi(base) {
  const url = (path) => new URL(path, new URL(base || '/', document.baseURI)).href;
  const json = { 'content-type': 'application/json' };

  return {
    /** Models, windows, limits, media types and the disclaimer. */
    models: (signal) => request(url('/v1/models'), { signal }),

    /** URL of a model card. */
    cardUrl: (model) => url(model.card),

    /** The report of a slice or a series. `options`: {model, threshold, include, asSeries, series}. */
    segment: (file, options, signal) => request(url(`/v1/segment?${query(options)}`), { method: 'POST', signal, ...bodyOf(file) }),

    /** The masks of a DICOM file or series as a DICOM segmentation. */
    dicomSegmentation: (file, options, signal) =>
      request(url(`/v1/segment?${query({ ...options, include: '' })}`), { method: 'POST', signal, ...bodyOf(file, 'application/dicom') }, 'blob'),

    /** The report of a file or series as one page of HTML. `options` also holds its `language`. */
    printedReport: (file, options, signal) =>
      request(url(`/v1/segment?${query({ ...options, include: '' })}`), { method: 'POST', signal, ...bodyOf(file, 'text/html') }, 'blob'),

    /** Creates an upload: {job_id, upload: {method, url, headers}, job_url}. */
    createUpload: (body, signal) => request(url('/v1/uploads'), { method: 'POST', signal, headers: json, body: JSON.stringify(body) }),

    /** Sends a file to the URL of an upload; `onSent(bytes)` reports progress. */
    upload: ({ method, url: to, headers }, file, { signal, onSent }) => uploadFile(method, url(to), headers, file, signal, onSent),

    /** State of a job, with the slices from `after` on, and the seconds to wait before the next request. */
    job: (path, after, signal) => request(`${url(path)}?after=${after}`, { signal }, 'job'),

    /** A slice or the result that a job links to. */
    linked: (path, signal) => request(url(path), { signal }),

    /** Deletes a job with its input and results. */
    deleteJob: (path) => fetch(url(path), { method: 'DELETE', keepalive: true }).catch(() => {}),
  };
}

function query({ model, threshold = null, include, asSeries = false, series = null, language = null }) {
  const parameters = new URLSearchParams({ model, include });
  if (threshold !== null) parameters.set('threshold', String(threshold));
  if (asSeries) parameters.set('as_series', 'true');
  if (series !== null) parameters.set('series', String(series));
  if (language !== null) parameters.set('language', language);
  return parameters;
}

// The server reads the format from the bytes; application/json would be read as a wrapper around them.
function bodyOf(file, accept) {
  const type = file.type.startsWith('image/') ? file.type : 'application/octet-stream';
  return { body: file, headers: { 'content-type': type, ...(accept && { accept }) } };
}

async function request(address, options, kind = 'json') {
  /** @type {Response | undefined} */
  let response;
  try {
    response = await fetch(address, { ...options, headers: { accept: 'application/json', ...options.headers } });
    if (response.ok && kind === 'blob') return await response.blob();
    const body = await response.json();
    if (!response.ok) throw problemOf(response.status, body);
    return kind === 'job' ? { ...body, retryAfterS: Number(response.headers.get('retry-after') ?? 1) } : body;
  } catch (/** @type {any} */ error) {
    if (error instanceof Problem || error.name === 'AbortError') throw error;
    if (response && error instanceof SyntaxError) throw problemOf(response.status, {});
    throw unreachable();
  }
}

/** XMLHttpRequest, since fetch does not report upload progress. */
function uploadFile(method, address, headers, file, signal, onSent) {
  return new Promise((/** @type {(value?: any) => void} */ resolve, reject) => {
    const xhr = new XMLHttpRequest();
    const abort = () => xhr.abort();
    signal?.addEventListener('abort', abort, { once: true });
    xhr.open(method, address);
    // Browsers set these headers and forbid scripts to.
    for (const [name, value] of Object.entries(headers ?? {})) if (!/^(content-length|host)$/i.test(name)) xhr.setRequestHeader(name, value);
    xhr.upload.addEventListener('progress', ({ loaded }) => onSent?.(loaded));
    xhr.addEventListener('load', () => {
      if (xhr.status < 300) return resolve();
      let body = {};
      try { body = JSON.parse(xhr.responseText); } catch { /* object stores answer in XML, which does not help a visitor */ }
      return reject(problemOf(xhr.status, body));
    });
    xhr.addEventListener('error', () => reject(unreachable()));
    xhr.addEventListener('abort', () => reject(new DOMException('cancelled', 'AbortError')));
    xhr.addEventListener('loadend', () => signal?.removeEventListener('abort', abort));
    xhr.send(file);
  });
}

const unreachable = () => new Problem({ code: 'unreachable', ...strings.error.unreachable });

/** The Problem that the API, or a failed job, reported. @param {number} status @param {any} body */
export function problemOf(status, body) {
  const { unexpected } = strings.error;
  return new Problem({
    code: body.code ?? 'unexpected',
    title: body.title ?? unexpected.title,
    detail: body.detail ?? unexpected.detail(status),
    status,
    requestId: body.request_id ?? null,
  });
}
