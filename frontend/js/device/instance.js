// An instance of the module in a worker of its own, as the page sees it.

import { Problem } from '../api.js';
import { strings } from '../strings.js';

/** The instance stopped for good. @param {string} reason */
const stopped = (reason) => new Problem({ code: 'device_stopped', status: 422, title: strings.error.deviceStopped.title, detail: strings.error.deviceStopped.detail(reason) });

/** @param {WebAssembly.Module} module @returns {DeviceInstance} */
export function startInstance(module) {
  const worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
  /** @type {{resolve(reply: any): void, reject(error: any): void, onProgress?: (done: number, total: number) => void} | null} */
  let pending = null;
  /** Why it stopped. @type {any} */
  let failure = null;

  const stop = (/** @type {any} */ error) => {
    failure ??= error;
    worker.terminate();
    pending?.reject(error);
    pending = null;
  };
  const send = (/** @type {any} */ message, /** @type {Transferable[]} */ transfer, /** @type {any} */ onProgress = null) => new Promise((resolve, reject) => {
    pending = { resolve, reject, onProgress };
    worker.postMessage(message, transfer);
  });
  worker.addEventListener('message', ({ data }) => {
    if (data.stopped !== undefined) return stop(stopped(data.stopped));
    if (data.total !== undefined) return pending?.onProgress?.(data.done, data.total);
    const { resolve, reject } = /** @type {NonNullable<typeof pending>} */ (pending);
    pending = null;
    if (data.problem) return reject(new Problem({ status: 422, title: strings.error.deviceRefused, ...data.problem }));
    return resolve(data);
  });
  // Its script could not be loaded, or the browser ended it.
  worker.addEventListener('error', ({ message }) => stop(stopped(message || 'worker.js')));
  /** Ends with the last call, since the worker answers one at a time. @type {Promise<unknown>} */
  let last = send({ module }, []);
  last.catch(() => {}); // reported by the next call

  return {
    models: new Map(),
    get isRunning() {
      return failure === null;
    },
    call(request, buffers, { onProgress, signal } = {}) {
      const answer = async () => {
        signal?.throwIfAborted();
        if (failure) throw failure;
        const abort = () => stop(new DOMException('cancelled', 'AbortError'));
        // A call cannot be interrupted: the worker ends with it, and the next call starts another.
        signal?.addEventListener('abort', abort, { once: true });
        try {
          return await send({ request, buffers }, buffers.map(({ buffer }) => buffer), onProgress);
        } finally {
          signal?.removeEventListener('abort', abort);
        }
      };
      const result = last.then(answer);
      // A problem of one call does not concern the next; an end of the worker does.
      last = result.catch((error) => { if (failure) throw error; });
      last.catch(() => {});
      return result;
    },
  };
}
