// The WebAssembly module against the program: the same report for the same files, under Node.js.

import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { brotliCompressSync, gunzipSync } from 'node:zlib';
import { createInstance, DeviceProblem } from '../../frontend/js/device/module.js';
import { decodeGreyPng } from '../../frontend/js/data/png-reader.js';
import { headNifti, headOf512 } from './head.mjs';
import { ROOT, startIchor } from './ichor.mjs';
import { differences } from './report-differences.mjs';
import { sampleBytes, samples } from './samples.mjs';
import { zipOf } from './zip-files.mjs';

const MODULE = process.env.ICHOR_WASM ?? join(ROOT, 'frontend', 'device', 'ichor.wasm');
const MODEL_FILES = ['model.json', 'model.onnx', 'MODEL_CARD.md'];
const INCLUDE = { mask: true, overlay: false, probabilities: true, samples: false, every_slice: true };
const QUERY = 'include=mask,probabilities,contours,every_slice';
const MIN_DICE = 0.999;
const MAX_MS = 10_000;
/** What a visitor transfers, bytes. The aim is 900,000, which the texts of the report to print exceed. */
const MAX_COMPRESSED = 930_000;

const seeds = await Promise.all(['dicom', 'nifti', 'archive', 'raster'].map(async (kind) => {
  const folder = join(ROOT, 'fuzz', 'seeds', kind);
  return Promise.all((await readdir(folder)).map(async (name) => [`seed ${kind}/${name}`, await readFile(join(folder, name))]));
}));

const dicom = join(ROOT, 'tests', 'data', 'dicom');
const dicomIn = async (folder) => Promise.all((await readdir(folder)).filter((name) => name.endsWith('.dcm')).sort()
  .map(async (name) => [name, await readFile(join(folder, name))]));
const head = await dicomIn(join(dicom, 'head-ge'));

const inputs = [
  ...await Promise.all(samples.map(async ({ file }) => [file, await sampleBytes(file)])),
  ...await dicomIn(dicom),
  ['a zip of DICOM slices', zipOf(head.map(([name, bytes]) => ({ name, bytes })))],
  ['a head as NIfTI', headNifti()],
  ['a flipped head as NIfTI', headNifti({ flipped: [true, false, true] })],
  ['a head without orientation', headNifti({ placed: false })],
  ['a head of 512 x 512', headOf512(3).buffer],
  ...seeds.flat(),
];

let server;
before(async () => { server = await startIchor(); });
after(() => server.stop());

const compiled = await WebAssembly.compile(await readFile(MODULE));

/** An instance with both models. */
async function load() {
  const instance = await createInstance(compiled);
  for (const model of ['deeplabv3', 'unet']) {
    const files = await Promise.all(MODEL_FILES.map((file) => readFile(join(ROOT, 'models', model, file))));
    instance.call({ operation: 'load_model', name: model }, files);
  }
  return instance;
}

/** What the server answers: [report, null] or [null, code of the problem]. */
async function askServer(bytes, model) {
  const response = await fetch(`${server.origin}/v1/segment?model=${model}&${QUERY}`, { method: 'POST', body: bytes });
  const json = await response.json();
  return response.ok ? [json, null] : [null, json.code];
}

function askModule(instance, bytes, model) {
  try {
    return [instance.call({ operation: 'segment', model, include: INCLUDE }, [bytes]).json, null];
  } catch (error) {
    if (!(error instanceof DeviceProblem)) throw error;
    return [null, error.code];
  }
}

async function maskOf(slice) {
  return slice.mask ? (await decodeGreyPng(Buffer.from(slice.mask.base64, 'base64'))).samples : [];
}

async function dice(actual, expected) {
  let [both, sum] = [0, 0];
  const slices = (report) => report.slices ?? [report];
  for (const [at, slice] of slices(expected).entries()) {
    const [one, other] = [await maskOf(slices(actual)[at]), await maskOf(slice)];
    assert.equal(one.length, other.length);
    other.forEach((value, pixel) => {
      both += value && one[pixel] ? 1 : 0;
      sum += (value ? 1 : 0) + (one[pixel] ? 1 : 0);
    });
  }
  return sum ? (2 * both) / sum : 1;
}

test('every sample, fixture and phantom has the report of the program', async () => {
  const instance = await load();
  let reports = 0;
  let outlined = 0;
  for (const [input, bytes] of inputs) {
    for (const model of ['deeplabv3', 'unet']) {
      const [expected, problem] = await askServer(bytes, model);
      const [actual, own] = askModule(instance, bytes, model);
      assert.equal(own, problem, `${input}, ${model}`);
      if (!expected) continue;
      assert.deepEqual(differences(actual, expected), [], `${input}, ${model}`);
      const agreement = await dice(actual, expected);
      assert.ok(agreement >= MIN_DICE, `${input}, ${model}: Dice ${agreement}`);
      reports += 1;
      outlined += expected.hemorrhage.detected ? 1 : 0;
    }
  }
  // The comparison would be empty without reports, and trivial without masks.
  assert.ok(reports > 60 && outlined > 8, `${reports} reports, ${outlined} with a mask`);
});

test('the module is small with brotli', async (context) => {
  const { length } = brotliCompressSync(await readFile(MODULE));
  context.diagnostic(`${length} bytes`);
  assert.ok(length < MAX_COMPRESSED, `${length} bytes`);
});

test('output files hold what the report says', async () => {
  const instance = await load();
  const progress = [];
  const watched = await createInstance(compiled, (done, total) => progress.push([done, total]));
  const files = await Promise.all(MODEL_FILES.map((file) => readFile(join(ROOT, 'models', 'unet', file))));
  watched.call({ operation: 'load_model', name: 'unet' }, files);
  const { json: report } = watched.call({ operation: 'segment', model: 'unet' }, [headNifti()]);
  const { slices } = report.series;
  assert.deepEqual(progress, Array.from({ length: slices + 1 }, (_, done) => [done, slices]));
  const voxels = report.slices.reduce((sum, slice) => sum + slice.area_px, 0);
  assert.ok(voxels > 0);
  const written = (format) => watched.call({ operation: 'export', format, created_ms: Date.now() }).file;
  const nifti = gunzipSync(written('nifti'));
  assert.equal(nifti.subarray(352).filter((voxel) => voxel > 0).length, voxels);
  const lines = Buffer.from(written('lesion_table')).toString().trim().split('\n');
  assert.equal(lines.length, 1 + report.volume.lesions.length);
  assert.throws(() => written('dicom_seg'), { code: 'unprocessable_image' });

  instance.call({ operation: 'segment' }, head.map(([, bytes]) => bytes));
  const [seg, again] = [1, 2].map(() => instance.call({ operation: 'export', format: 'dicom_seg', created_ms: 0 }).file);
  assert.equal(Buffer.from(seg.subarray(128, 132)).toString(), 'DICM');
  assert.ok(Buffer.from(seg).includes('19700101'));
  assert.notDeepEqual(seg, again, 'each object has UIDs of its own');
});

test('a damaged file ends in a report, a problem or a stop of its instance, in bounded time', async () => {
  let instance = await load();
  let [reports, problems, stops] = [0, 0, 0];
  for (const [name, bytes] of seeds.flat()) {
    for (let round = 0; round < 6; round += 1) {
      const damaged = Buffer.from(bytes);
      for (let at = 0; at <= round; at += 1) damaged[(round * 7919 + at * 104_729) % damaged.length] ^= 1 << ((round + at) % 8);
      const input = round % 2 ? damaged : damaged.subarray(0, damaged.length - 1 - ((round * 37) % Math.ceil(damaged.length / 2)));
      const started = performance.now();
      try {
        if (askModule(instance, input, 'unet')[0]) reports += 1; else problems += 1;
      } catch (error) {
        assert.ok(error instanceof WebAssembly.RuntimeError, `${name}: ${error}`);
        stops += 1;
        instance = await load();
      }
      assert.ok(performance.now() - started < MAX_MS, `${name}, round ${round}`);
    }
  }
  assert.ok(problems > 50, `${reports} reports, ${problems} problems, ${stops} stops`);
});
