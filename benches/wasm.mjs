// Compares the WebAssembly module with the program on the same slice: bytes of a PNG to the bytes of the JSON report, on
// one thread, turn by turn, so that other work on the machine slows down all of them alike.
//
// node benches/wasm.mjs --probe target/release/examples/probe [--runs 21] [--models deeplabv3,unet] MODULE.wasm...
//
// Prints one line per model and engine: the median and the least time, ms, and the median divided by that of the program
// with the fastest kernels of this CPU.

import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { createInstance } from '../frontend/js/device/module.js';

// Node.js 20 has relaxed SIMD behind this flag of its engine; later versions have it without.
if (process.version.startsWith('v20.')) setFlagsFromString('--experimental-wasm-relaxed-simd');

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const SLICE = `${ROOT}frontend/samples/090_9y_intraparenchymal_110kV_220mA.png`;
const MODEL_FILES = ['model.json', 'model.onnx', 'MODEL_CARD.md'];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    probe: { type: 'string' },
    runs: { type: 'string', default: '21' },
    models: { type: 'string', default: 'deeplabv3,unet' },
  },
});
if (!values.probe || positionals.length === 0) {
  throw new Error('usage: node benches/wasm.mjs --probe PROBE MODULE.wasm...');
}
const models = values.models.split(',');

/** The program, with the kernels of a level, or the fastest ones. */
async function startProbe(kernels) {
  const probe = spawn(values.probe, [`${ROOT}models`, SLICE], {
    env: { ...process.env, ICHOR_KERNELS: kernels },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: probe.stdout })[Symbol.asyncIterator]();
  await lines.next();
  return {
    name: `program, ${kernels || 'fastest kernels'}`,
    run: async (model) => {
      probe.stdin.write(`slice ${model} 1\n`);
      await lines.next();
    },
    stop: () => probe.stdin.end(),
  };
}

async function startModule(path) {
  const instance = await createInstance(await WebAssembly.compile(readFileSync(path)));
  for (const name of models) {
    const files = MODEL_FILES.map((file) => readFileSync(`${ROOT}models/${name}/${file}`));
    instance.call({ operation: 'load_model', name }, files);
  }
  const slice = readFileSync(SLICE);
  const { kernels } = instance.call({ operation: 'describe' }).json;
  return {
    name: `${basename(path)}, ${kernels}`,
    run: async (model) => instance.call({ operation: 'segment', model }, [slice]),
    stop: () => {},
  };
}

const engines = [await startProbe(''), await startProbe('avx2'), ...(await Promise.all(positionals.map(startModule)))];
for (const model of models) {
  const times = engines.map(() => []);
  for (let run = 0; run < Number(values.runs); run += 1) {
    for (const [index, engine] of engines.entries()) {
      const started = performance.now();
      await engine.run(model);
      times[index].push(performance.now() - started);
    }
  }
  const sorted = times.map((list) => list.sort((a, b) => a - b));
  const medians = sorted.map((list) => list[Math.floor(list.length / 2)]);
  for (const [index, engine] of engines.entries()) {
    const ratio = (medians[index] / medians[0]).toFixed(2);
    console.log(`${model}  ${engine.name}: ${medians[index].toFixed(1)} ms, least ${sorted[index][0].toFixed(1)} ms, ${ratio}x`);
  }
}
engines.forEach((engine) => engine.stop());
