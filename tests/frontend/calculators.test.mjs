// The ICH score and ABC/2: the rules of their sources, what an analysis fills in, keyboard, axe, both languages.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { test } from 'node:test';
import { openSample, seeResult } from './actions.mjs';
import { headFile } from './head.mjs';
import { ROOT } from './ichor.mjs';
import { DESKTOP, origin, PHONE, pageTest } from './page-fixture.mjs';
import { sampleWithFinding } from './samples.mjs';

const AXE = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const { abc2Ml, ichScore, inputsOf, MORTALITY } = await import(join(ROOT, 'frontend/js/data/ich-score.js'));
const best = { gcs: 15, age: 40, volumeMl: 5, hasIvh: false, isInfratentorial: false };

test('the ICH score has the points of Hemphill 2001', () => {
  for (const [change, total] of [
    [{}, 0],
    [{ gcs: 13 }, 0], [{ gcs: 12 }, 1], [{ gcs: 5 }, 1], [{ gcs: 4 }, 2], [{ gcs: 3 }, 2],
    [{ volumeMl: 29.9 }, 0], [{ volumeMl: 30 }, 1],
    [{ age: 79 }, 0], [{ age: 80 }, 1],
    [{ hasIvh: true }, 1], [{ isInfratentorial: true }, 1],
    [{ gcs: 3, age: 80, volumeMl: 30, hasIvh: true, isInfratentorial: true }, 6],
  ]) assert.equal(ichScore({ ...best, ...change }).total, total, JSON.stringify(change));
  assert.deepEqual(MORTALITY, [0, 0.13, 0.26, 0.72, 0.97, 1, null]);
});

test('without one of its inputs there is no score', () => {
  for (const name of Object.keys(best)) assert.equal(ichScore({ ...best, [name]: null }).total, null, name);
});

test('ABC/2 is half the product of three lengths', () => {
  assert.ok(Math.abs(abc2Ml([40, 30, 20]) - 12) < 1e-9);
  assert.equal(abc2Ml([40, null, 20]), null);
});

test('an analysis fills in only what it knows', () => {
  const lesion = (code, probability, more = {}) => ({ volume_ml: 10, type: { code, probability }, abc2: { a_mm: 40, b_mm: 30, c_mm: 20, volume_ml: 12 }, ...more });
  const finding = (lesions, threshold = null) => ({ threshold, totals: { lesions: lesions.map(() => ({})), volumeMl: 25 }, report: { volume: { lesions } } });
  const unknown = { volumeMl: null, hasIvh: null, isInfratentorial: null, lengths: [null, null, null] };
  assert.deepEqual(inputsOf(null), unknown);
  assert.deepEqual(inputsOf(finding([])), unknown);
  const untyped = { ...lesion('IPH', 0.9), type: undefined };
  assert.deepEqual(inputsOf(finding([untyped])), { volumeMl: 25, hasIvh: null, isInfratentorial: null, lengths: [40, 30, 20] });
  assert.deepEqual(inputsOf(finding([lesion('IPH', 0.9), lesion('IVH', 0.8)])), { volumeMl: 10, hasIvh: true, isInfratentorial: null, lengths: [40, 30, 20] });
  assert.equal(inputsOf(finding([lesion('IPH', 0.9)])).hasIvh, false);
  assert.equal(inputsOf(finding([lesion('IPH', 0.4)])).hasIvh, null, 'an improbable type');
  assert.equal(inputsOf(finding([lesion('IPH', 0.9, { location: { region: 'cerebellum' } })])).isInfratentorial, true);
  assert.equal(inputsOf(finding([lesion('IPH', 0.9, { location: { region: 'basal_ganglia' } })])).isInfratentorial, false);
  assert.deepEqual(inputsOf(finding([lesion('IPH', 0.9)], 0.3)), { volumeMl: 25, hasIvh: null, isInfratentorial: null, lengths: [null, null, null] });
});

test('both languages have the same texts', async () => {
  const load = async (code) => (await import(join(ROOT, `frontend/js/strings/${code}-calculators.js`))).default;
  const keys = (table, prefix = '') => Object.entries(table).flatMap(([key, value]) => (typeof value === 'object' ? keys(value, `${prefix}${key}.`) : [`${prefix}${key}:${typeof value}`]));
  assert.deepEqual(keys(await load('de')), keys(await load('en')));
});

for (const [name, context] of [['light', { ...DESKTOP, colorScheme: 'light' }], ['dark', { ...DESKTOP, colorScheme: 'dark' }], ['phone', PHONE]]) {
  pageTest(`the calculators are loaded when they are opened, and axe reports no violation, ${name}`, { context }, async (page) => {
    const loaded = [];
    page.on('request', (request) => { if (/calculators|ich-score/.test(request.url())) loaded.push(request.url()); });
    const { sample } = await sampleWithFinding(origin());
    await openSample(page, sample);
    assert.deepEqual(loaded, []);
    await page.getByRole('button', { name: 'ICH score and ABC/2' }).click();
    await page.getByRole('dialog').waitFor();
    assert.equal(loaded.length, 3);
    await page.evaluate(AXE);
    const found = await page.evaluate(() => globalThis.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }));
    assert.deepEqual(found.violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`), []);
    const overflow = await page.evaluate(() => document.querySelector('dialog').scrollWidth - document.querySelector('dialog').clientWidth);
    assert.ok(overflow <= 0, `${overflow} px to the right of the dialog`);
  });
}

pageTest('the score is computed with the keyboard alone, from a series that fills in its volume', {}, async (page) => {
  await page.getByRole('radio', { name: 'U-Net' }).check();
  await page.setInputFiles('#file', headFile());
  await seeResult(page);
  await page.getByRole('button', { name: 'ICH score and ABC/2' }).focus();
  await page.keyboard.press('Enter');
  const volume = page.getByLabel('Volume of the hematoma, mL');
  await volume.waitFor();
  assert.ok(Number(await volume.inputValue()) > 5, await volume.inputValue());
  const result = page.locator('#calculator-score');
  assert.match(await result.textContent(), /^Missing: Glasgow Coma Scale, age, blood in the ventricles, origin$/);
  await page.getByLabel('Glasgow Coma Scale, 3 to 15').focus();
  await page.keyboard.type('12');
  await page.keyboard.press('Tab');
  await page.keyboard.type('81');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Control+A');
  await page.keyboard.type('31');
  for (let choice = 0; choice < 2; choice += 1) {
    await page.keyboard.press('Tab');
    await page.keyboard.press('ArrowDown');
  }
  assert.match(await result.textContent(), /^ICH score 3 of 6\. In the original cohort of 152 patients, 72\s%/);
  await page.getByLabel('Glasgow Coma Scale, 3 to 15').fill('20');
  assert.match(await result.textContent(), /^Missing: Glasgow Coma Scale$/);
  await page.getByRole('button', { name: 'Use as volume of the score' }).click();
  assert.ok(Number(await volume.inputValue()) < 300);
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
});

pageTest('the calculators speak German', {}, async (page) => {
  await page.locator('#language').selectOption('de');
  await page.locator('html[lang="de"]').waitFor();
  const { sample } = await sampleWithFinding(origin());
  await page.locator('.sample').first().waitFor();
  await page.locator(`.sample:has(img[src*="${sample.thumbnail ?? sample.file.slice(0, 3)}"])`).first().click();
  await seeResult(page);
  await page.getByRole('button', { name: 'ICH-Score und ABC/2' }).click();
  await page.getByLabel('Alter, Jahre').waitFor();
  assert.match(await page.locator('#calculator-score').textContent(), /^Es fehlt: Glasgow Coma Scale, Alter, Volumen/);
});
