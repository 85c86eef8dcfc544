// The HTTP API, one method a route, and one error type for everything that can go wrong with them.

import { strings } from './strings.js';

/** What went wrong, in the words of an RFC 9457 problem. */
export class Problem extends Error {
  constructor({ code, title, detail, status = 0, requestId = null }) {
    super(title);
    this.name = 'Problem';
    Object.assign(this, { code, title, detail, status, requestId });
  }
}

/** A client of the API at `base` ('' for the origin that serves the page). */
export function createApi(base) {
  const url = (path) => new URL(path, new URL(base || '/', document.baseURI)).href;
  const json = { 'content-type': 'application/json' };

  return {
    /** Models, windows, limits, media types and the disclaimer. */
    models: (signal) => request(url('/v1/models'), { signal }),

    /** Where a model's card is read. */
    cardUrl: (model) => url(model.card),

    /** The report of a slice, or of a series. `options`: {model, threshold, include, asSeries, series}. */
    segment: (file, options, signal) => request(url(`/v1/segment?${query(options)}`), { method: 'POST', signal, ...bodyOf(file) }),

    /** The masks of a DICOM file or series as a DICOM segmentation, a Blob. */
    dicomSegmentation: (file, options, signal) =>
      request(url(`/v1/segment?${query({ ...options, include: '' })}`), { method: 'POST', signal, ...bodyOf(file, 'application/dicom') }, 'blob'),

    /** Announces an upload: {job_id, upload: {method, url, headers}, job_url}. */
    announce: (body, signal) => request(url('/v1/uploads'), { method: 'POST', signal, headers: json, body: JSON.stringify(body) }),

    /** Sends a file where `announce` said; `onSent(bytes)` hears how far it is. */
    upload: ({ method, url: to, headers }, file, { signal, onSent }) => send(method, url(to), headers, file, signal, onSent),

    /** A job's state, with the slices from `after` on; `retryAfterS` says when to ask again. */
    job: (path, after, signal) => request(`${url(path)}?after=${after}`, { signal }, 'job'),

    /** What a job links to: a slice, the result. */
    linked: (path, signal) => request(url(path), { signal }),

    /** Deletes a job with all that it was sent and made. */
    deleteJob: (path) => fetch(url(path), { method: 'DELETE', keepalive: true }).catch(() => {}),
  };
}

function query({ model, threshold = null, include, asSeries = false, series = null }) {
  const words = new URLSearchParams({ model, include });
  if (threshold !== null) words.set('threshold', String(threshold));
  if (asSeries) words.set('as_series', 'true');
  if (series !== null) words.set('series', String(series));
  return words;
}

// The server reads the format from the bytes; a type such as application/json would name a wrapper to it.
function bodyOf(file, accept) {
  const type = file.type.startsWith('image/') ? file.type : 'application/octet-stream';
  return { body: file, headers: { 'content-type': type, ...(accept && { accept }) } };
}

async function request(address, options, kind = 'json') {
  let response;
  try {
    response = await fetch(address, { ...options, headers: { accept: 'application/json', ...options.headers } });
    if (response.ok && kind === 'blob') return await response.blob();
    const body = await response.json();
    if (!response.ok) throw problemOf(response.status, body);
    return kind === 'job' ? { ...body, retryAfterS: Number(response.headers.get('retry-after') ?? 1) } : body;
  } catch (error) {
    if (error instanceof Problem || error.name === 'AbortError') throw error;
    if (response && error instanceof SyntaxError) throw problemOf(response.status, {});
    throw unreachable();
  }
}

/** fetch says nothing of how much was sent; XMLHttpRequest does. */
function send(method, address, headers, file, signal, onSent) {
  return new Promise((resolve, reject) => {
    const sending = new XMLHttpRequest();
    const abort = () => sending.abort();
    signal?.addEventListener('abort', abort, { once: true });
    sending.open(method, address);
    // The browser sets the length itself and forbids to name it.
    for (const [name, value] of Object.entries(headers ?? {})) if (!/^(content-length|host)$/i.test(name)) sending.setRequestHeader(name, value);
    sending.upload.addEventListener('progress', ({ loaded }) => onSent?.(loaded));
    sending.addEventListener('load', () => {
      if (sending.status < 300) return resolve();
      let body = {};
      try { body = JSON.parse(sending.responseText); } catch { /* a store answers in XML, which says nothing to a visitor */ }
      return reject(problemOf(sending.status, body));
    });
    sending.addEventListener('error', () => reject(unreachable()));
    sending.addEventListener('abort', () => reject(new DOMException('cancelled', 'AbortError')));
    sending.addEventListener('loadend', () => signal?.removeEventListener('abort', abort));
    sending.send(file);
  });
}

const unreachable = () => new Problem({ code: 'unreachable', ...strings.error.unreachable });

/** A Problem of what the API, or a job that failed, said. */
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
