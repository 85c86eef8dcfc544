// A worker with one instance of the module. It answers one call at a time; see instance.js for the messages.

import { createInstance, DeviceProblem } from './module.js';

/** @type {Awaited<ReturnType<typeof createInstance>> | null} */
let instance = null;

addEventListener('message', async ({ data: { module, request, buffers } }) => {
  try {
    if (module) {
      instance = await createInstance(module, (done, total) => postMessage({ done, total }));
      postMessage({ json: null, file: null });
      return;
    }
    const { json, file } = /** @type {NonNullable<typeof instance>} */ (instance).call(request, buffers);
    postMessage({ json, file }, { transfer: file ? [file.buffer] : [] });
  } catch (/** @type {any} */ error) {
    if (error instanceof DeviceProblem) postMessage({ problem: { code: error.code, detail: error.message } });
    // The memory of the instance may be damaged: the page ends this worker.
    else postMessage({ stopped: String(error?.message ?? error) });
  }
});
