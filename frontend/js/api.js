// The HTTP API: two calls, and one error type for everything that can go wrong with them.

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
  const url = (path) => base.replace(/\/$/, '') + path;

  return {
    /** Models, limits, media types and the disclaimer. */
    models: (signal) => request(url('/v1/models'), { signal }),

    /** Where a model's card is read. */
    cardUrl: (model) => url(model.card),

    /** Segments a file that holds one slice; rejects with Problem, or AbortError when cancelled. */
    async segment(file, { model, threshold }, signal) {
      const query = new URLSearchParams({ model, include: 'mask,overlay,contours' });
      if (threshold !== null) query.set('threshold', String(threshold));
      const report = await request(url(`/v1/segment?${query}`), { method: 'POST', signal, ...bodyOf(file) });
      if (!report.series) return report;
      const { title, detail } = strings.error.series;
      throw new Problem({ code: 'series', status: 422, title, detail: detail(report.series.slices) });
    },
  };
}

// The server reads the format from the bytes; a type such as application/json would name a wrapper to it.
function bodyOf(file) {
  const type = file.type.startsWith('image/') ? file.type : 'application/octet-stream';
  return { body: file, headers: { 'content-type': type } };
}

async function request(address, options) {
  let response;
  try {
    response = await fetch(address, { ...options, headers: { accept: 'application/json', ...options.headers } });
    const body = await response.json();
    if (response.ok) return body;
    throw problemOf(response, body);
  } catch (error) {
    if (error instanceof Problem || error.name === 'AbortError') throw error;
    if (response && error instanceof SyntaxError) throw problemOf(response, {});
    throw new Problem({ code: 'unreachable', ...strings.error.unreachable });
  }
}

function problemOf(response, body) {
  const { unexpected } = strings.error;
  return new Problem({
    code: body.code ?? 'unexpected',
    title: body.title ?? unexpected.title,
    detail: body.detail ?? unexpected.detail(response.status),
    status: response.status,
    requestId: body.request_id ?? null,
  });
}
