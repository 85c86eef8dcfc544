// The WebAssembly module of this device: its calls, and the copies between its memory and the page's.
// crates/ichor-wasm/README.md describes the interface.

/** A problem with the code and the text that the API would answer. */
export class DeviceProblem extends Error {
  /** @param {{code: string, detail: string}} problem */
  constructor({ code, detail }) {
    super(detail);
    this.code = code;
  }
}

/**
 * Makes an instance of a compiled module.
 * @param {WebAssembly.Module} module
 * @param {(done: number, total: number) => void} [onProgress] called for each segmented slice, during a call
 */
export async function createInstance(module, onProgress = () => {}) {
  let panic = '';
  const text = new TextDecoder();
  /** @type {any} */
  let exports;
  const bytesAt = (/** @type {number} */ address, /** @type {number} */ length) =>
    new Uint8Array(exports.memory.buffer, address, length);
  const instance = await WebAssembly.instantiate(module, {
    ichor: {
      now_ms: () => performance.now(),
      random_bits: () => crypto.getRandomValues(new Uint32Array(1))[0],
      on_progress: onProgress,
      on_panic: (/** @type {number} */ address, /** @type {number} */ length) => {
        panic = text.decode(bytesAt(address, length));
      },
    },
  });
  exports = instance.exports;

  /** @param {Uint8Array} bytes */
  function addBuffer(bytes) {
    // Addresses above 2 GiB arrive as negative numbers.
    const address = exports.ichor_add_buffer(bytes.length) >>> 0;
    bytesAt(address, bytes.length).set(bytes);
  }

  const reply = (/** @type {number} */ index) =>
    bytesAt(exports.ichor_reply_address(index) >>> 0, exports.ichor_reply_length(index));

  return {
    /**
     * Calls the module. Each buffer is copied once, into its memory; a file of the reply once, out of it.
     * @param {object} request
     * @param {Uint8Array[]} [buffers]
     * @returns {{json: any, file: Uint8Array | null}}
     * @throws {DeviceProblem} for an input that cannot be used; the module works on.
     * @throws {WebAssembly.RuntimeError} when the module stopped for good; its `message` is that of the panic.
     */
    call(request, buffers = []) {
      let failed;
      try {
        addBuffer(new TextEncoder().encode(JSON.stringify(request)));
        buffers.forEach(addBuffer);
        failed = exports.ichor_call();
      } catch (error) {
        throw panic ? new WebAssembly.RuntimeError(panic) : error;
      }
      const json = JSON.parse(text.decode(reply(0)));
      if (failed) throw new DeviceProblem(json);
      const file = reply(1);
      return { json, file: file.length > 0 ? file.slice() : null };
    },
    /** Size of the memory of the module, which never shrinks, bytes. */
    memoryBytes: () => exports.memory.buffer.byteLength,
  };
}
