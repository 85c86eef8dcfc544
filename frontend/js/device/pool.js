// Segments the slices of one input on several instances of the module at the same time.

/**
 * The lead has the input open: it prepares and reads out slices, and runs networks while it has nothing else to do. The
 * helpers only run networks. Resolves when all slices are read out; a failure of any instance ends the calls of all.
 * @param {number} count of slices
 * @param {{lead: DeviceInstance, helpers: Promise<DeviceInstance>[], model: string, signal: AbortSignal, onSlice(report: any): void}} options
 */
export async function segmentSlices(count, { lead, helpers, model, signal, onSlice }) {
  const ending = new AbortController();
  const options = { signal: AbortSignal.any([signal, ending.signal]) };
  /** Prepared, for the next free instance. @type {{slice: number, tensor: Uint8Array}[]} */
  const tensors = [];
  /** Computed, for the lead. @type {{slice: number, buffers: Uint8Array[], inferenceMs: number}[]} */
  const outputs = [];
  // So many that no helper waits while the lead runs a network itself.
  const maxTensors = Math.max(1, 2 * helpers.length);
  let [prepared, done] = [0, 0];
  /** @type {(() => void)[]} */
  let waiting = [];
  const change = () => new Promise((/** @type {(value?: any) => void} */ resolve) => waiting.push(resolve));
  const notify = () => {
    const resolvers = waiting;
    waiting = [];
    for (const resolve of resolvers) resolve();
  };

  const infer = async (/** @type {DeviceInstance} */ instance) => {
    const { slice, tensor } = /** @type {typeof tensors[0]} */ (tensors.shift());
    const { json, file } = await instance.call({ operation: 'infer', model }, [tensor], options);
    outputs.push({ slice, buffers: [file], inferenceMs: json.inference_ms });
    notify();
  };
  const prepare = async () => {
    const slice = prepared;
    prepared += 1;
    const { file } = await lead.call({ operation: 'prepare', slice }, [], options);
    if (file) tensors.push({ slice, tensor: file });
    else outputs.push({ slice, buffers: [], inferenceMs: 0 });
    notify();
  };
  const readOut = async () => {
    const { slice, buffers, inferenceMs } = /** @type {typeof outputs[0]} */ (outputs.shift());
    const { json } = await lead.call({ operation: 'read_out', slice, inference_ms: inferenceMs }, buffers, options);
    done += 1;
    onSlice(json);
  };
  const work = async () => {
    while (done < count) {
      if (outputs.length) await readOut();
      else if (prepared < count && tensors.length < maxTensors) await prepare();
      else if (tensors.length) await infer(lead);
      else await change();
    }
  };
  const help = async (/** @type {Promise<DeviceInstance>} */ starting) => {
    const instance = await starting.catch(() => null); // the others do its share
    while (instance && done < count && !ending.signal.aborted) {
      if (tensors.length) await infer(instance);
      else await change();
    }
  };
  try {
    const failure = Promise.all(helpers.map(help)).then(() => new Promise(() => {}));
    await Promise.race([work(), failure]);
    notify();
  } catch (error) {
    ending.abort();
    notify();
    throw error;
  }
}
