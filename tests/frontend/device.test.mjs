// Analyses on this device: the module in workers of the page, without the server.

import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { openSample, save, seeResult } from './actions.mjs';
import { headFile, headNifti } from './head.mjs';
import { ROOT } from './ichor.mjs';
import { DESKTOP, origin, pageTest } from './page-fixture.mjs';
import { differences } from './report-differences.mjs';
import { flatPng, sampleBytes, samples, sampleWithFinding } from './samples.mjs';
import { zipOf } from './zip-files.mjs';

const MAX_MS = 10_000;
const NO_NETWORK = /ERR_INTERNET_DISCONNECTED|ERR_FAILED|Failed to load/;
const png = (name, buffer) => ({ name, mimeType: 'image/png', buffer });

/** Opens a file and resolves to the code of its problem, or to 'result'. */
async function outcomeOf(page, file) {
  await page.setInputFiles('#file', file);
  await page.locator('#caption', { hasText: file.name }).waitFor();
  await page.locator('#busy').waitFor({ state: 'hidden' });
  if (await page.locator('#error').isHidden()) return 'result';
  return (await page.locator('#error-trace').innerText()).replace('Code ', '');
}

pageTest('once the model is loaded, opening files causes no request, and the report is that of the server', { location: 'device' }, async (page) => {
  const { sample } = await sampleWithFinding(origin());
  await page.getByText('never leave this device').waitFor();
  await openSample(page, sample);
  const requests = [];
  page.on('request', (request) => { if (!request.url().startsWith('blob:')) requests.push(request.url()); });
  const dicom = join(ROOT, 'tests', 'data', 'dicom', 'head-ge');
  const slices = (await readdir(dicom)).filter((name) => name.endsWith('.dcm')).sort();
  const zip = zipOf(await Promise.all(slices.map(async (name) => ({ name, bytes: await readFile(join(dicom, name)) }))));
  const bytes = await sampleBytes(sample.file);
  const files = [png('again.png', bytes), { ...headFile(), name: 'head.nii.gz' }, { name: 'series.zip', mimeType: 'application/zip', buffer: zip }];
  for (const file of files) {
    assert.equal(await outcomeOf(page, file), 'result');
    await seeResult(page);
    assert.deepEqual(requests, []);
    const report = JSON.parse((await save(page, 'json')).bytes);
    const response = await fetch(`${origin()}/v1/segment?include=every_slice`, { method: 'POST', body: file.buffer });
    assert.deepEqual(differences(report, await response.json()), [], file.name);
  }
  // The last one has the tags of DICOM.
  const seg = await save(page, 'dicom');
  assert.deepEqual(requests, []);
  assert.equal(seg.bytes.subarray(128, 132).toString(), 'DICM');
  const html = await save(page, 'html');
  assert.deepEqual(requests, []);
  assert.match(html.bytes.toString(), /^<!doctype html>\n<html lang="en">/);
  assert.ok(html.bytes.length > 20_000, `${html.bytes.length} bytes, as the pictures are in it`);
  await page.getByText('Time on this device').waitFor();
});

pageTest('hostile files end in an error within ten seconds, and the next file works', { location: 'device' }, async (page, context) => {
  const { sample } = await sampleWithFinding(origin());
  await openSample(page, sample);
  const bytes = await sampleBytes(sample.file);
  const huge = Buffer.from(flatPng(8, 8));
  huge.writeUInt32BE(60_000, 16);
  const header = headNifti({ slices: 6 });
  const seeds = await Promise.all(['dicom', 'nifti', 'archive', 'raster'].map(async (kind) => {
    const folder = join(ROOT, 'fuzz', 'seeds', kind);
    const [first] = (await readdir(folder)).sort();
    const seed = await readFile(join(folder, first));
    return { name: `cut-${kind}.bin`, mimeType: '', buffer: seed.subarray(0, Math.ceil(seed.length * 0.6)) };
  }));
  const hostile = [
    ...seeds,
    png('huge.png', huge),
    png('cut.png', bytes.subarray(0, bytes.length / 2)),
    { name: 'cut.nii.gz', mimeType: 'application/gzip', buffer: header.subarray(0, header.length / 2) },
    { name: 'bomb.nii.gz', mimeType: 'application/gzip', buffer: gzipSync(Buffer.alloc(200_000_000)) },
    { name: 'bomb.zip', mimeType: 'application/zip', buffer: zipOf(Array.from({ length: 10 }, (_, at) => ({ name: `${at}.dcm`, bytes: Buffer.alloc(20_000_000), deflate: true }))) },
  ];
  let slowest = 0;
  for (const file of hostile) {
    const started = performance.now();
    const outcome = await outcomeOf(page, file);
    slowest = Math.max(slowest, performance.now() - started);
    assert.notEqual(outcome, 'page_failed', file.name);
    assert.ok(performance.now() - started < MAX_MS, `${file.name}: ${outcome} after ${performance.now() - started} ms`);
  }
  context.diagnostic(`${hostile.length} files, the slowest ${Math.round(slowest)} ms (bar ${MAX_MS})`);
  await openSample(page, sample);
});

pageTest('an instance that stops is named to the visitor and replaced for the next file', { location: 'device' }, async (page) => {
  const { sample } = await sampleWithFinding(origin());
  await openSample(page, sample);
  const [worker] = page.workers();
  // As a trap of the module would end the call.
  await worker.evaluate(() => { JSON.parse = () => { throw new WebAssembly.RuntimeError('unreachable'); }; });
  assert.equal(await outcomeOf(page, png('trap.png', await sampleBytes(samples[0].file))), 'device_stopped');
  await page.getByRole('alert').getByText('This file could not be analysed: unreachable').waitFor();
  await openSample(page, sample);
  // As the browser ends a worker, between two files.
  await page.workers()[0].evaluate(() => setTimeout(() => { throw new Error('ended'); }));
  await openSample(page, samples[0]);
  await openSample(page, sample);
  assert.equal(await page.locator('#error').isVisible(), false);
});

pageTest('an analysis on this device can be cancelled', { location: 'device' }, async (page) => {
  await page.setInputFiles('#file', { ...headFile(), buffer: headNifti({ slices: 40 }) });
  await page.locator('#busy-text', { hasText: ' of 40 slices' }).waitFor();
  const cores = await page.evaluate(() => navigator.hardwareConcurrency);
  assert.equal(page.workers().length, Math.min(cores, 8), 'each core has a worker');
  await page.getByRole('button', { name: 'Cancel' }).click();
  await page.locator('#welcome').waitFor();
  await openSample(page, samples[0]);
  // A model that is cancelled at any moment of its download or start works afterwards.
  for (const wait of [0, 40, 120, 400]) {
    await page.getByRole('radio', { name: 'U-Net' }).check();
    await page.waitForTimeout(wait);
    await openSample(page, samples[wait % 3]);
    await page.getByRole('radio', { name: 'DeepLabV3+' }).check();
  }
  await seeResult(page);
  // 512 slices of zeros in a small file: the page stays usable while they are decoded.
  const header = gunzipSync(headNifti()).subarray(0, 352);
  [512, 512, 512].forEach((size, axis) => header.writeInt16LE(size, 42 + 2 * axis));
  const giant = gzipSync(Buffer.concat([header, Buffer.alloc(2 * 512 ** 3)]), { level: 1 });
  await page.setInputFiles('#file', { ...headFile(), name: 'giant.nii.gz', buffer: giant });
  await page.locator('#caption', { hasText: 'giant' }).waitFor();
  const started = performance.now();
  await page.getByRole('button', { name: 'Cancel' }).click();
  await page.locator('#welcome').waitFor();
  assert.ok(performance.now() - started < MAX_MS);
  await openSample(page, samples[0]);
});

pageTest('after the first analysis, the page analyses without a network', {
  location: 'automatic', context: { ...DESKTOP, serviceWorkers: 'allow' }, expected: NO_NETWORK,
}, async (page) => {
  const { sample } = await sampleWithFinding(origin());
  await page.evaluate(() => navigator.serviceWorker.ready);
  await openSample(page, sample);
  await page.context().setOffline(true);
  await page.reload();
  await page.locator('.model').first().waitFor();
  // There is no server to choose.
  assert.ok(await page.locator('#location').isHidden());
  await page.getByText('never leave this device').waitFor();
  await page.setInputFiles('#file', png('offline.png', await sampleBytes(sample.file)));
  await seeResult(page);
  await page.locator('.headline[data-detected="true"]').waitFor();
  await page.context().setOffline(false);
});

pageTest('automatically, a short series stays on this device and a long one goes to the server', { location: 'automatic' }, async (page) => {
  const sent = [];
  page.on('request', (request) => { if (request.method() !== 'GET') sent.push(new URL(request.url()).pathname); });
  await page.getByRole('radio', { name: 'U-Net' }).check();
  await page.setInputFiles('#file', headFile());
  await seeResult(page);
  assert.deepEqual(sent, []);
  await page.setInputFiles('#file', { ...headFile(), name: 'long.nii.gz', buffer: headNifti({ slices: 65 }) });
  await page.locator('#caption', { hasText: 'long' }).waitFor();
  await seeResult(page);
  assert.ok(sent.includes('/v1/uploads'), `${sent}`);
  await page.getByText('Time on the server').waitFor();
});
