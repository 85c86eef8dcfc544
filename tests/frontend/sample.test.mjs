// From a sample to a finding, and what the page says about it.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { ROOT } from './ichor.mjs';
import { pngHeader, sampleBytes, samples, sampleWithFinding } from './slices.mjs';
import { openSample, seeResult, slideTo } from './steps.mjs';
import { origin, visit } from './visit.mjs';

visit('a sample is outlined and described in words and numbers', {}, async (page) => {
  const { sample, report } = await sampleWithFinding(origin());
  await openSample(page, sample);
  const findings = page.locator('#findings');
  await findings.locator('.verdict', { hasText: 'Hemorrhage outlined' }).waitFor();
  const percent = Math.round(report.hemorrhage.probability * 100);
  const words = percent > 99 ? 'over 99' : percent < 1 ? 'under 1' : String(percent);
  assert.match(await findings.innerText(), new RegExp(`chance of hemorrhage in this slice at ${words}.%`.replace(/ /g, '\\s')));
  assert.equal(await findings.locator('.lesion').count(), report.lesions.length);
  const largest = report.lesions[0].area_px.toLocaleString('en');
  assert.match(await findings.locator('.lesion').first().innerText(), new RegExp(`${largest} px[\\s\\S]*mean confidence`));
  for (const type of report.hemorrhage.subtypes ?? []) {
    const row = await findings.locator('.subtypes li', { hasText: type.name }).innerText();
    assert.match(row, /%/);
    assert.equal(row.includes('experimental'), type.experimental);
  }
  for (const warning of report.warnings) assert.ok((await findings.innerText()).includes(warning.message));
  assert.match(await findings.innerText(), new RegExp(`${report.model.version}[\\s\\S]*ms`));
  assert.match(await findings.innerText(), new RegExp(`This sample’s label: ${sample.label}`));
  assert.match(await page.locator('#status').textContent(), /^Hemorrhage outlined\. Chance .*outlined area/);
  assert.match(await page.locator('#caption').innerText(), /512 × 512 px/);
});

visit('mask and overlay are saved as PNG files of the input’s size', {}, async (page) => {
  const { sample } = await sampleWithFinding(origin());
  await openSample(page, sample);
  const input = pngHeader(await sampleBytes(sample.file));
  for (const kind of ['mask', 'overlay']) {
    const waiting = page.waitForEvent('download');
    await page.getByRole('link', { name: `Save ${kind}` }).click();
    const download = await waiting;
    assert.equal(download.suggestedFilename(), sample.file.replace('.png', `_${kind}.png`));
    const saved = pngHeader(await readFile(await download.path()));
    assert.deepEqual([saved.width, saved.height], [input.width, input.height]);
    if (kind === 'mask') assert.deepEqual([saved.depth, saved.color], [8, 0]);
  }
});

visit('another model answers at once for the open slice', {}, async (page) => {
  const { models, default: first } = await (await fetch(`${origin()}/v1/models`)).json();
  const other = models.find(({ name }) => name !== first);
  const standard = models.find(({ name }) => name === first);
  assert.ok(await page.getByRole('radio', { name: standard.title }).isChecked());
  await openSample(page, samples[0]);
  const asked = page.waitForRequest((request) => request.url().includes(`model=${other.name}`));
  await page.getByRole('radio', { name: other.title }).check();
  await asked;
  await page.locator('.details dd', { hasText: `${other.title} ${other.version}` }).waitFor();
  assert.equal(await page.getByRole('link', { name: `Model card of ${other.title}` }).getAttribute('href'), other.card);
});

visit('a higher threshold outlines no more than before, and the model’s own comes back', {}, async (page) => {
  const { sample, report } = await sampleWithFinding(origin());
  const own = report.hemorrhage.threshold;
  await openSample(page, sample);
  const shown = page.locator('.details dt:text-is("Threshold") + dd');
  assert.equal(await shown.innerText(), own.toFixed(2));
  const areas = [];
  for (const value of [0.05, 0.95]) {
    const answered = page.waitForResponse((response) => response.url().includes(`threshold=${value}`));
    await slideTo(page, 'threshold-range', value);
    const changed = await (await answered).json();
    await page.locator(`.details dd:text-is("${value.toFixed(2)}")`).waitFor();
    areas.push(changed.lesions.reduce((sum, { area_px: area }) => sum + area, 0));
    assert.equal(await page.locator('.lesion').count(), changed.lesions.length);
  }
  assert.ok(areas[1] < areas[0], `areas ${areas}`);
  await page.getByRole('button', { name: /Back to the model/ }).click();
  await page.locator(`.details dd:text-is("${own.toFixed(2)}")`).waitFor();
  await seeResult(page);
  assert.equal(await page.locator('.lesion').count(), report.lesions.length);
  assert.ok(await page.evaluate(() => document.activeElement.id === 'threshold-range'));
});

test('the gallery’s labels are those of the samples’ table', async () => {
  const table = (await readFile(join(ROOT, 'frontend', 'samples', 'slices.csv'), 'utf8')).trim().split('\n').map((line) => line.trim().split(','));
  const kinds = table[0].slice(4);
  const labels = table.slice(1).map((row) => {
    const kind = kinds.find((_, at) => row[4 + at] === '1');
    return [row[2], kind ? kind[0].toUpperCase() + kind.slice(1) : 'No hemorrhage'];
  });
  assert.deepEqual(samples.map(({ file, label }) => [file, label]), labels);
});
