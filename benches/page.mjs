// Measures analyses on this device in the page, in Chromium, against a server on the loopback interface.
//
// ICHOR_BIN=target/release/ichor node benches/page.mjs [--runs 3] [--slices 40] [--long 300]
//
// Prints medians: ms from the click on a sample to its finding on a first visit, which downloads module and model, on a
// later visit, and once the model is loaded; ms of a series of 512 x 512 pixels on one and on two workers; and the largest
// memory of the process of the tab (resident set) while a long series is analysed, MB.

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openSample, seeResult } from '../tests/frontend/actions.mjs';
import { launchBrowser } from '../tests/frontend/browser.mjs';
import { headOf512 } from '../tests/frontend/head.mjs';
import { startIchor } from '../tests/frontend/ichor.mjs';
import { samples } from '../tests/frontend/samples.mjs';

const { values } = parseArgs({ options: { runs: { type: 'string', default: '3' }, slices: { type: 'string', default: '40' }, long: { type: 'string', default: '300' } } });
const WAIT_MS = 600_000;
const sample = samples.find(({ file }) => file.startsWith('090'));
const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];
const ms = (list) => `${Math.round(median(list))} ms (${list.map(Math.round).join(', ')})`;

const ichor = await startIchor();
const browser = await launchBrowser();

/** A page of a visitor of his own, whose device seems to have `cores`. */
async function visit(cores) {
  const context = await browser.newContext({ locale: 'en', reducedMotion: 'reduce' });
  context.setDefaultTimeout(WAIT_MS);
  await context.addInitScript((count) => {
    localStorage['ichor.location'] = 'device';
    Object.defineProperty(navigator, 'hardwareConcurrency', { get: () => count });
  }, cores);
  const page = await context.newPage();
  await page.goto(ichor.origin, { waitUntil: 'networkidle' });
  await page.locator('.model').first().waitFor();
  return page;
}

async function timeOf(work) {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

/** ms in which the page shows that it works, from the opened file to the complete report. */
async function analyse(page, file) {
  await page.evaluate(() => {
    const busy = document.getElementById('busy');
    let started = 0;
    globalThis.busyMs = 0;
    globalThis.watching?.disconnect();
    globalThis.watching = new MutationObserver(() => {
      if (!busy.hidden) started ||= performance.now();
      else globalThis.busyMs = performance.now() - started;
    });
    globalThis.watching.observe(busy, { attributes: true, attributeFilter: ['hidden'] });
  });
  await page.setInputFiles('#file', file);
  await page.waitForFunction(() => globalThis.busyMs > 0);
  await seeResult(page);
  return page.evaluate(() => globalThis.busyMs);
}

const [first, later, loaded] = [[], [], []];
for (let run = 0; run < Number(values.runs); run += 1) {
  const page = await visit(2);
  first.push(await timeOf(() => openSample(page, sample)));
  await page.reload({ waitUntil: 'networkidle' });
  await page.locator('.model').first().waitFor();
  later.push(await timeOf(() => openSample(page, sample)));
  loaded.push(await timeOf(() => openSample(page, sample)));
  await page.context().close();
}
console.log(`a sample: first visit ${ms(first)}, later visit ${ms(later)}, model loaded ${ms(loaded)}`);

const slices = Number(values.slices);
const series = headOf512(slices);
const pages = new Map();
for (const cores of [1, 2]) {
  pages.set(cores, await visit(cores));
  await analyse(pages.get(cores), headOf512(8)); // starts the workers
}
const times = { 1: [], 2: [] };
for (let run = 0; run < Number(values.runs); run += 1) {
  for (const [cores, page] of pages) times[cores].push(await analyse(page, { ...series, name: `run-${run}.nii.gz` }));
}
console.log(`${slices} slices: one worker ${ms(times[1])}, two workers ${ms(times[2])}, ${(median(times[1]) / median(times[2])).toFixed(2)}x`);
for (const page of pages.values()) await page.context().close();

/** The largest resident set of the processes of tabs since they started, MB. */
async function largestTab() {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  const sizes = await Promise.all(processInfo.filter(({ type }) => type === 'renderer').map(async ({ id }) => {
    const status = await readFile(`/proc/${id}/status`, 'utf8').catch(() => '');
    return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1000;
  }));
  return Math.max(...sizes);
}

if (Number(values.long)) {
  const page = await visit(2);
  await page.locator('.model', { hasText: 'U-Net' }).locator('input').check();
  // A larger buffer than the protocol of the browser takes.
  const folder = await mkdtemp(join(tmpdir(), 'ichor-page-'));
  const file = join(folder, 'long.nii.gz');
  await writeFile(file, headOf512(Number(values.long)).buffer);
  const time = await analyse(page, file).finally(() => rm(folder, { recursive: true }));
  console.log(`${values.long} slices: ${Math.round(await largestTab())} MB, ${Math.round(time / 1000)} s`);
}
await browser.close();
await ichor.stop();
