// A server that is down, slow or busy; facts of the API; and a reload.

import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { changed } from './responses.mjs';
import { ROOT, startIchor } from './ichor.mjs';
import { samples, sampleWithFinding } from './samples.mjs';
import { openSample, seeResult } from './actions.mjs';
import { origin, pageTest } from './page-fixture.mjs';

const REFUSED = /ERR_CONNECTION|ERR_FAILED|status of 503/;
const [sample] = samples;
const choose = (page, { label, detail }) => page.getByRole('button', { name: `${label}, ${detail}` }).click();

let fragile;
pageTest('an unreachable server is reported, and "Try again" works once it is back', {
  expected: REFUSED,
  server: async () => { fragile = await startIchor(); return fragile.origin; },
}, async (page) => {
  try {
    await openSample(page, sample);
    await fragile.stop();
    await choose(page, samples[1]);
    const error = page.getByRole('alert');
    await error.waitFor();
    assert.match(await error.innerText(), /The server does not respond[\s\S]*Check that the server is running/);
    fragile = await startIchor(new URL(fragile.origin).port);
    await page.getByRole('button', { name: 'Try again' }).click();
    await seeResult(page);
    assert.ok(await error.isHidden());
    assert.equal(await page.evaluate(() => document.activeElement.id), 'viewport');
  } finally {
    await fragile.stop();
  }
});

pageTest('an unreachable server at startup is reported, and can be retried', {
  expected: REFUSED,
  arrange: (page) => page.route('**/v1/models', (route) => route.abort()),
}, async (page) => {
  await page.getByRole('alert').getByText('The server does not respond').waitFor();
  assert.ok(await page.getByText('Not for diagnosis').isVisible());
  await page.unroute('**/v1/models');
  await page.getByRole('button', { name: 'Try again' }).click();
  await page.locator('.model').first().waitFor();
  assert.ok(await page.getByRole('alert').isHidden());
  await openSample(page, sample);
});

pageTest('a busy server is reported, and can be retried', { expected: REFUSED }, async (page) => {
  await page.route('**/v1/segment*', (route) => route.fulfill({
    status: 503,
    contentType: 'application/problem+json',
    json: { type: 'about:blank', title: 'Service Unavailable', status: 503, detail: 'All workers are busy.', code: 'overloaded', request_id: 'r-17' },
  }));
  await choose(page, sample);
  const error = page.getByRole('alert');
  await error.waitFor();
  assert.match(await error.innerText(), /The server is busy[\s\S]*All workers are busy\.[\s\S]*Wait a few seconds[\s\S]*r-17/);
  await page.unroute('**/v1/segment*');
  await page.getByRole('button', { name: 'Try again' }).click();
  await seeResult(page);
});

pageTest('a long wait is shown and can be cancelled; a late answer is ignored', { expected: REFUSED }, async (page) => {
  let release;
  const held = new Promise((resolve) => { release = resolve; });
  await page.route('**/v1/segment*', async (route) => { await held; await route.continue().catch(() => {}); });
  await choose(page, sample);
  await page.locator('#busy').getByText('is analysing the image').waitFor();
  assert.match(await page.locator('#status').textContent(), /is analysing the image/);
  await page.getByRole('button', { name: 'Cancel' }).click();
  release();
  assert.ok(await page.locator('#busy').isHidden());
  await page.locator('#status').getByText('Cancelled.').waitFor({ state: 'attached' });
  await page.waitForTimeout(500);
  assert.equal(await page.locator('.verdict').count(), 0);
  await page.unroute('**/v1/segment*');
  await openSample(page, samples[1]);
});

pageTest('of two slices opened in quick succession the later one is shown', { expected: REFUSED }, async (page) => {
  let first = true;
  await page.route('**/v1/segment*', async (route) => {
    const slow = first;
    first = false;
    if (slow) await new Promise((resolve) => { setTimeout(resolve, 1500); });
    await route.continue().catch(() => {});
  });
  await choose(page, samples[0]);
  await page.locator('#busy').getByText('is analysing').waitFor();
  await openSample(page, samples[1]);
  await page.waitForTimeout(1800);
  assert.ok((await page.locator('#caption').innerText()).startsWith(samples[1].file));
  assert.ok((await page.locator('.reference-label').innerText()).endsWith(samples[1].label));
});

pageTest('names, thresholds, version and disclaimer come from the API', {
  arrange: (page) => page.route('**/v1/models', async (route) => {
    const response = await route.fetch();
    const facts = await response.json();
    const models = facts.models.map((model) => ({ ...model, title: `Renamed ${model.name}`, threshold: 0.37 }));
    await route.fulfill({ response, json: { ...facts, models, disclaimer: 'A text of the server.', version: '9.8.7' } });
  }),
}, async (page) => {
  const { default: name } = await (await fetch(`${origin()}/v1/models`)).json();
  assert.ok(await page.getByRole('radio', { name: `Renamed ${name}` }).isChecked());
  assert.equal(await page.locator('#threshold-value').innerText(), '0.37');
  assert.equal(await page.locator('#disclaimer').innerText(), 'A text of the server.');
  await page.getByText('Ichor 9.8.7').waitFor();
});

test('the code of the page repeats no fact of the API', async () => {
  const { models, windows, disclaimer } = await (await fetch(`${origin()}/v1/models`)).json();
  // Not the media types: the page names those of the files that it writes or requests.
  const facts = [disclaimer, ...windows.map(({ name }) => name), ...models.flatMap(({ name, title, classes, slice_classes: kinds }) => [
    name, title, ...classes.flatMap((one) => [one.code, one.color, one.name]), ...(kinds ?? []).filter(({ code }) => code !== 'any').flatMap((one) => [one.name, one.code])])];
  const folder = join(ROOT, 'frontend', 'js');
  for (const file of await readdir(folder, { recursive: true })) {
    // Translations name types of hemorrhage; no decision depends on them.
    if (!file.endsWith('.js') || file.includes('strings/')) continue;
    // The ICH score is defined for intraparenchymal hemorrhage and asks for intraventricular hemorrhage.
    if (file === join('data', 'ich-score.js')) continue;
    const source = await readFile(join(folder, file), 'utf8');
    // Comments may contain examples.
    const code = source.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
    for (const fact of facts) assert.ok(!code.includes(`'${fact}'`) && !code.includes(`"${fact}"`), `${file} holds ${fact}`);
  }
});

pageTest('an outline at a low probability is called a weak hint', {}, async (page) => {
  const { sample: outlined } = await sampleWithFinding(origin());
  await changed(page, (report) => { Object.assign(report.hemorrhage, { detected: true, probability: 0.2 }); });
  await choose(page, outlined);
  await page.locator('.headline').getByText('weak hint').waitFor();
});

pageTest('over a slow network the research-only notice is shown first, and the wait is shown', {
  arrange: async (page) => {
    const network = await page.context().newCDPSession(page);
    await network.send('Network.enable');
    // Similar to a phone at the edge of coverage.
    await network.send('Network.emulateNetworkConditions', { offline: false, latency: 400, downloadThroughput: 60_000, uploadThroughput: 30_000 });
    page.seen = page.waitForSelector('#caution', { state: 'visible' }).then(() => performance.now());
  },
}, async (page) => {
  await page.locator('.model').first().waitFor();
  assert.ok(await page.seen < performance.now());
  await choose(page, sample);
  await page.locator('#busy').waitFor();
  await seeResult(page);
});

pageTest('after a reload no data of the image is left, and the next one works', {}, async (page) => {
  await openSample(page, sample);
  await page.reload();
  await page.locator('.model').first().waitFor();
  assert.ok(await page.locator('#welcome').isVisible());
  assert.equal(await page.locator('.verdict').count(), 0);
  const kept = await page.evaluate(async () => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie, (await indexedDB.databases()).length]));
  assert.ok(!kept.includes(sample.file) && kept.endsWith(',"",0]'), kept);
  await openSample(page, samples[1]);
});
