// Compares the WebAssembly module with the program on one slice, on one thread, turn by turn, so that other work on the
// machine slows down all of them alike. The module runs in a worker of Chromium.
//
// node benches/wasm.mjs --probe target/release/examples/probe [--runs 15] [--onnxruntime FOLDER] MODULE.wasm...
//
// FOLDER is `dist` of the npm package onnxruntime-web, which then runs the same networks on one thread.
// Prints one line per model and engine: medians, ms, of the whole slice (bytes of a PNG to the JSON report) and of the
// network alone, each with its ratio to the program.

import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { launchBrowser } from '../tests/frontend/browser.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const SLICE = 'frontend/samples/090_9y_intraparenchymal_110kV_220mA.png';
const MODELS = ['deeplabv3', 'unet'];
const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.mjs': 'text/javascript', '.wasm': 'application/wasm' };

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { probe: { type: 'string' }, runs: { type: 'string', default: '15' }, onnxruntime: { type: 'string' } },
});
if (!values.probe || positionals.length === 0) {
  throw new Error('usage: node benches/wasm.mjs --probe PROBE [--runs N] [--onnxruntime FOLDER] MODULE.wasm...');
}

/** The program, with the kernels of a level, or the fastest ones. */
async function startProbe(kernels) {
  const probe = spawn(values.probe, [join(ROOT, 'models'), join(ROOT, SLICE)], {
    env: { ...process.env, ICHOR_KERNELS: kernels },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: probe.stdout })[Symbol.asyncIterator]();
  await lines.next();
  const measure = async (line) => {
    const started = performance.now();
    probe.stdin.write(`${line}\n`);
    await lines.next();
    return performance.now() - started;
  };
  return {
    name: `program, ${kernels || 'fastest kernels'}`,
    run: async (model) => {
      const slice = await measure(`slice ${model} 1`);
      // Both include the preparation of the slice.
      const [one, three] = [await measure(`network ${model} 1 1`), await measure(`network ${model} 3 1`)];
      return { slice, network: (three - one) / 2 };
    },
    stop: () => probe.stdin.end(),
  };
}

/** The worker's script: it loads an engine, then measures a slice per message. */
const WORKER = `
const get = async (path) => new Uint8Array(await (await fetch(path)).arrayBuffer());
const runs = {
  async module({ path, models, slice }) {
    const { createInstance } = await import('/project/frontend/js/device/module.js');
    const instance = await createInstance(await WebAssembly.compile(await get(path)));
    for (const name of models) {
      const files = ['model.json', 'model.onnx', 'MODEL_CARD.md'].map((file) => get('/project/models/' + name + '/' + file));
      instance.call({ operation: 'load_model', name }, await Promise.all(files));
    }
    const bytes = await get('/project/' + slice);
    return (model) => {
      const started = performance.now();
      const { json } = instance.call({ operation: 'segment', model }, [bytes]);
      return { slice: performance.now() - started, network: json.timings_ms.inference };
    };
  },
  async onnxruntime({ models }) {
    const ort = await import('/onnxruntime/ort.wasm.bundle.min.mjs');
    ort.env.wasm.numThreads = 1;
    ort.env.wasm.wasmPaths = self.location.origin + '/onnxruntime/';
    const sessions = {};
    for (const name of models) {
      const spec = JSON.parse(new TextDecoder().decode(await get('/project/models/' + name + '/model.json')));
      const session = await ort.InferenceSession.create(await get('/project/models/' + name + '/model.onnx'));
      const tensor = new ort.Tensor('float32', new Float32Array(spec.input.shape.reduce((a, b) => a * b)), spec.input.shape);
      sessions[name] = () => session.run({ [session.inputNames[0]]: tensor });
    }
    return async (model) => {
      const started = performance.now();
      await sessions[model]();
      return { network: performance.now() - started };
    };
  },
};
let run;
onmessage = async ({ data }) => {
  try {
    if (data.engine) run = await runs[data.engine](data);
    postMessage({ times: data.model ? await run(data.model) : {} });
  } catch (error) {
    postMessage({ error: String(error) });
  }
};`;

/** Serves the project, the module and onnxruntime-web on the loopback interface. */
async function startServer() {
  const folders = { project: ROOT, module: '/', onnxruntime: resolve(values.onnxruntime ?? '.') };
  const server = createServer(async (request, response) => {
    const [, folder, ...path] = decodeURIComponent(new URL(request.url, 'http://localhost').pathname).split('/');
    try {
      const body = folder === 'worker.js' ? WORKER : folder ? await readFile(join(folders[folder], ...path)) : '<!doctype html>';
      response.setHeader('content-type', TYPES[extname(path.at(-1) ?? folder) || (folder ? '' : '.html')] ?? 'application/octet-stream');
      response.end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((ready) => { server.listen(0, '127.0.0.1', ready); });
  return server;
}

const server = await startServer();
const browser = await launchBrowser();

/** A worker of a page of its own. */
async function startWorker(name, settings) {
  const page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${server.address().port}/`);
  const ask = (message) => page.evaluate((data) => new Promise((answer, fail) => {
    globalThis.worker ??= new Worker('/worker.js', { type: 'module' });
    globalThis.worker.onmessage = ({ data: { times, error } }) => (error ? fail(new Error(error)) : answer(times));
    globalThis.worker.onerror = ({ message: text }) => fail(new Error(text));
    globalThis.worker.postMessage(data);
  }), message);
  await ask({ ...settings, models: MODELS, slice: SLICE });
  return { name, run: (model) => ask({ model }), stop: () => page.close() };
}

const engines = [await startProbe(''), await startProbe('avx2')];
for (const path of positionals) {
  engines.push(await startWorker(path, { engine: 'module', path: `/module${resolve(path)}` }));
}
if (values.onnxruntime) engines.push(await startWorker('onnxruntime-web', { engine: 'onnxruntime' }));

const median = (list) => list.sort((a, b) => a - b)[Math.floor(list.length / 2)];
for (const model of MODELS) {
  const times = engines.map(() => []);
  for (let run = 0; run < Number(values.runs); run += 1) {
    for (const [index, engine] of engines.entries()) times[index].push(await engine.run(model));
  }
  const medians = (part) => times.map((list) => (part in list[0] ? median(list.map((time) => time[part])) : null));
  const [slices, networks] = [medians('slice'), medians('network')];
  const shown = (list, index) => (list[index] === null ? '-' : `${list[index].toFixed(1)} ms (${(list[index] / list[0]).toFixed(2)}x)`);
  engines.forEach(({ name }, index) => console.log(`${model}  ${name}: slice ${shown(slices, index)}, network ${shown(networks, index)}`));
}
for (const engine of engines) await engine.stop();
await browser.close();
server.close();
