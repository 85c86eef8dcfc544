// From a sample to a finding, its text, files and threshold.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { ROOT } from './ichor.mjs';
import { pngHeader, sampleBytes, samples, sampleWithFinding, segment } from './samples.mjs';
import { openSample, save, seeResult, slideTo } from './actions.mjs';
import { origin, pageTest } from './page-fixture.mjs';

const shownArea = async (page) => Number((await page.locator('.totals dd').first().innerText()).replace(/\D/g, ''));

pageTest('a sample is outlined and described in words and numbers', {}, async (page) => {
  const { sample, report } = await sampleWithFinding(origin());
  await openSample(page, sample);
  const findings = page.locator('#findings');
  await findings.locator('.verdict', { hasText: 'Hemorrhage outlined' }).waitFor();
  const percent = Math.round(report.hemorrhage.probability * 100);
  const words = percent > 99 ? '> 99' : percent < 1 ? '< 1' : String(percent);
  assert.match(await findings.innerText(), new RegExp(`Probability of hemorrhage in this slice: ${words}.%`.replace(/ /g, '\\s')));
  assert.equal(await findings.locator('.lesion').count(), report.lesions.length);
  const largest = report.lesions[0].area_px.toLocaleString('en');
  assert.match(await findings.locator('.lesion').first().innerText(), new RegExp(`${largest} px[\\s\\S]*mean probability`));
  for (const type of report.hemorrhage.subtypes ?? []) {
    const row = await findings.locator('.subtypes li', { hasText: type.name }).innerText();
    assert.match(row, /%/);
    assert.equal(row.includes('experimental'), type.experimental);
  }
  for (const warning of report.warnings) assert.ok((await findings.innerText()).includes(warning.message));
  assert.match(await findings.innerText(), new RegExp(`${report.model.version}[\\s\\S]*ms`));
  assert.match(await findings.innerText(), new RegExp(`True label of this sample: ${sample.label}`));
  assert.match(await page.locator('#status').textContent(), /^Hemorrhage outlined\. Probability .*outlined area/);
  assert.match(await page.locator('#caption').innerText(), /512 × 512 px/);
});

pageTest('mask, overlay and report are saved in the input’s size', {}, async (page) => {
  const { sample, report } = await sampleWithFinding(origin());
  await openSample(page, sample);
  const input = pngHeader(await sampleBytes(sample.file));
  for (const kind of ['mask', 'overlay']) {
    const { name, bytes } = await save(page, kind);
    assert.equal(name, sample.file.replace('.png', `_${kind}.png`));
    const saved = pngHeader(bytes);
    assert.deepEqual([saved.width, saved.height], [input.width, input.height]);
    if (kind === 'mask') assert.deepEqual([saved.depth, saved.color], [8, 0]);
  }
  const { bytes } = await save(page, 'json');
  const saved = JSON.parse(bytes);
  assert.deepEqual([saved.lesions.length, saved.mask, saved.at_threshold], [report.lesions.length, undefined, undefined]);
  assert.equal(await page.locator('#save-nifti, #save-dicom').count(), 0, 'a picture is neither a volume nor DICOM');
});

pageTest('findings and diagnostics are copied as text; diagnostics contain no data of the image', {}, async (page) => {
  const { sample, report } = await sampleWithFinding(origin());
  await openSample(page, sample);
  // The clipboard is written after the click has returned. page.waitForFunction does not await an asynchronous function.
  const copied = async (button, before) => {
    await page.getByRole('button', { name: button }).click();
    const read = () => page.evaluate(() => navigator.clipboard.readText());
    let text = await read();
    while (text === before) text = await read();
    return text;
  };
  await page.evaluate(() => navigator.clipboard.writeText('nothing yet'));
  const findings = await copied('Copy as text', 'nothing yet');
  assert.match(findings, new RegExp(`${sample.file}[\\s\\S]*Hemorrhage outlined[\\s\\S]*1\\. [\\s\\S]*${report.disclaimer.slice(0, 20)}`));
  const text = await copied('Copy diagnostics', findings);
  assert.ok(text.includes(report.model.sha256.slice(0, 12)) && !text.includes(sample.file) && !text.includes(sample.label), text);
});

pageTest('another model analyses the open slice at once, and the first one is not requested again', {}, async (page) => {
  const { models, default: first } = await (await fetch(`${origin()}/v1/models`)).json();
  const other = models.find(({ name }) => name !== first);
  const standard = models.find(({ name }) => name === first);
  assert.ok(await page.getByRole('radio', { name: standard.title }).isChecked());
  await openSample(page, samples[0]);
  const asked = page.waitForRequest((request) => request.url().includes(`model=${other.name}`));
  await page.getByRole('radio', { name: other.title }).check();
  await asked;
  await page.locator('.details dd', { hasText: `${other.title} ${other.version}` }).waitFor();
  assert.equal(new URL(await page.getByRole('link', { name: `Model card of ${other.title}` }).getAttribute('href')).pathname, other.card);
  let requests = 0;
  page.on('request', (request) => { requests += request.url().includes('/v1/segment') ? 1 : 0; });
  await page.getByRole('radio', { name: standard.title }).check();
  await page.locator('.details dd', { hasText: `${standard.title} ${standard.version}` }).waitFor();
  assert.equal(requests, 0);
});

pageTest('the threshold changes mask, area and list without a request, and as the server would', {}, async (page) => {
  const { sample, report } = await sampleWithFinding(origin());
  const own = report.hemorrhage.threshold;
  await openSample(page, sample);
  let requests = 0;
  page.on('request', (request) => { requests += request.url().includes('/v1/segment') ? 1 : 0; });
  const areas = [];
  for (const value of [0.05, 0.2, 0.6, 0.95]) {
    await slideTo(page, 'threshold-range', value);
    await page.locator('.details dd', { hasText: `${value.toFixed(2)}, changed` }).waitFor();
    const theirs = await segment(origin(), await sampleBytes(sample.file), `threshold=${value}&include=`);
    const expected = theirs.lesions.reduce((sum, { area_px: area }) => sum + area, 0);
    const area = theirs.lesions.length ? await shownArea(page) : 0;
    // Probabilities are rounded to 255 steps: pixels at the threshold may differ.
    assert.ok(Math.abs(area - expected) <= 0.015 * expected, `${area} px for ${expected} at ${value}`);
    assert.equal(await page.locator('.lesion').count(), theirs.lesions.length);
    areas.push(area);
  }
  assert.ok(areas.every((area, at) => !at || area <= areas[at - 1]) && areas[3] < areas[0], `areas ${areas}`);
  assert.equal(requests, 0);
  await page.getByRole('button', { name: /Reset to the model/ }).click();
  await page.locator(`.details dd:text-is("${own.toFixed(2)}")`).waitFor();
  assert.equal(await page.locator('.lesion').count(), report.lesions.length);
  assert.ok(await page.evaluate(() => document.activeElement.id === 'threshold-range'));
});

pageTest('a slice below the cut-off has a note, and no outline at any threshold', {}, async (page) => {
  let closed = null;
  for (const sample of samples) {
    const report = await segment(origin(), await sampleBytes(sample.file), 'include=');
    if (!report.readout.open) { closed = sample; break; }
  }
  assert.ok(closed, 'one of the samples is closed');
  await openSample(page, closed);
  await slideTo(page, 'threshold-range', 0.05);
  await page.getByText('nothing is outlined here at any threshold').waitFor();
  assert.equal(await page.locator('.lesion').count(), 0);
});

pageTest('the sample of the welcome screen has an outlined hemorrhage', {}, async (page) => {
  await page.getByRole('button', { name: 'Try a sample' }).click();
  await seeResult(page);
  const { file } = samples.find(({ isFeatured }) => isFeatured);
  assert.ok((await page.locator('#caption').innerText()).startsWith(file));
  await page.locator('.headline[data-detected="true"]').waitFor();
});

test('the labels of the gallery match the table of samples', async () => {
  const table = (await readFile(join(ROOT, 'frontend', 'samples', 'slices.csv'), 'utf8')).trim().split('\n').map((line) => line.trim().split(','));
  const kinds = table[0].slice(4);
  const labels = table.slice(1).map((row) => {
    const kind = kinds.find((_, at) => row[4 + at] === '1');
    return [row[2], kind ? kind[0].toUpperCase() + kind.slice(1) : 'No hemorrhage'];
  });
  assert.deepEqual(samples.map(({ file, label }) => [file, label]), labels);
});
