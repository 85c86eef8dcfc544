// No panel keeps data of the previous file: after a damaged file, a failed job, or a quick change.

import assert from 'node:assert/strict';
import { changed, unreadable } from './responses.mjs';
import { headFile } from './head.mjs';
import { samples, sampleWithFinding } from './samples.mjs';
import { drawn, openSample, seeResult, slideTo } from './actions.mjs';
import { origin, pageTest } from './page-fixture.mjs';

const HTTP_ERROR_LINE = /status of 4\d\d/;
const notes = { name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('not a slice') };

/** No panel contains data of a file that was open before. */
async function assertNothingStale(page, name) {
  await drawn(page);
  const text = (selector) => page.locator(selector).innerText();
  assert.equal(await text('#caption'), name);
  assert.equal(await text('#findings-body'), 'There is no result for this file.');
  assert.equal(await page.locator('#status').textContent(), '');
  assert.match(await text('#threshold-note'), /^Pixels with at least/);
  for (const id of ['strip', 'three-d', 'downloads', 'scale', 'side-labels', 'busy', 'viewport-note', 'toolbar-note']) assert.ok(await page.locator(`#${id}`).isHidden(), id);
  for (const id of ['slice-number', 'readout', 'window-center-value', 'window-width-value', 'busy-text']) {
    assert.equal(await page.locator(`#${id}`).textContent(), '', id);
  }
  assert.ok(await page.locator('#window-preset').isDisabled());
  assert.equal(await page.locator('#pane-a canvas').getAttribute('aria-description'), null);
  assert.doesNotMatch(await page.locator('#pane-a canvas').getAttribute('aria-label'), /head|png|area/);
  assert.equal(await page.locator('#ruler').getAttribute('aria-pressed'), 'false');
  const drawnPixels = await page.evaluate(() => {
    const canvas = document.querySelector('#pane-a canvas');
    return canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.some((value) => value > 0);
  });
  assert.ok(!drawnPixels, 'the previous image is removed');
  await page.evaluate(() => document.querySelector('#diagnostics').click());
  await page.locator('#status').getByText('clipboard').waitFor({ state: 'attached' });
  assert.doesNotMatch(await page.evaluate(() => navigator.clipboard.readText()), /page_ms: \{"opened|server_ms|slices/);
}

pageTest('after a series and a damaged file', { expected: HTTP_ERROR_LINE }, async (page) => {
  await page.setInputFiles('#file', headFile());
  await page.locator('#strip').waitFor();
  await seeResult(page);
  await slideTo(page, 'window-width', 300);
  await page.getByRole('button', { name: 'Ruler' }).click();
  await page.locator('#viewport').hover();
  assert.ok(await page.locator('#three-d').isVisible() && await page.locator('#scale').isVisible());
  await page.setInputFiles('#file', notes);
  await page.getByRole('alert').waitFor();
  await assertNothingStale(page, 'notes.txt');
});

pageTest('after a slice below its cut-off and a damaged file', { expected: HTTP_ERROR_LINE }, async (page) => {
  const { sample } = await sampleWithFinding(origin());
  await changed(page, (report) => { report.readout.open = false; });
  await openSample(page, sample);
  await page.locator('#threshold-note').getByText('below its cut-off').waitFor();
  await page.unroute('**/v1/segment*');
  await page.setInputFiles('#file', notes);
  await page.getByRole('alert').waitFor();
  await assertNothingStale(page, 'notes.txt');
});

pageTest('after an unreadable image and a damaged file', { expected: HTTP_ERROR_LINE }, async (page) => {
  await changed(page, unreadable);
  await openSample(page, samples[0]);
  await page.setInputFiles('#file', notes);
  await page.getByRole('alert').waitFor();
  await assertNothingStale(page, 'notes.txt');
  assert.ok(await page.locator('#compare').isEnabled() && await page.locator('#threshold-range').isEnabled());
});

pageTest('while the next file is sent, no data of the previous one is shown', { expected: HTTP_ERROR_LINE }, async (page) => {
  await page.setInputFiles('#file', headFile());
  await page.locator('#strip').waitFor();
  await seeResult(page);
  let release;
  const held = new Promise((resolve) => { release = resolve; });
  await page.route('**/v1/segment*', async (route) => { await held; await route.continue().catch(() => {}); });
  await page.setInputFiles('#file', notes);
  await page.locator('#caption').getByText('notes.txt').waitFor();
  await drawn(page);
  for (const id of ['strip', 'three-d', 'downloads', 'scale', 'side-labels']) assert.ok(await page.locator(`#${id}`).isHidden(), id);
  assert.equal(await page.locator('.verdict').count(), 0);
  assert.doesNotMatch(await page.locator('#status').textContent(), /outlined|Probability/);
  // Another file at once: results of the first are never shown.
  const [, second] = samples;
  await page.getByRole('button', { name: `${second.label}, ${second.detail}` }).click();
  await page.locator('#caption').getByText(second.file).waitFor();
  release();
  await seeResult(page);
  assert.ok((await page.locator('#caption').innerText()).startsWith(second.file));
  assert.ok(await page.locator('#strip').isHidden() && await page.getByRole('alert').isHidden());
});

pageTest('files of a model without a result are not offered', {}, async (page) => {
  const { sample } = await sampleWithFinding(origin());
  await openSample(page, sample);
  let release;
  const held = new Promise((resolve) => { release = resolve; });
  await page.route('**/v1/segment*', async (route) => { await held; await route.continue().catch(() => {}); });
  await page.locator('.model input:not(:checked)').first().check();
  assert.ok(await page.locator('#downloads').isHidden());
  release();
  await seeResult(page);
  assert.ok(await page.locator('#save-mask').isVisible());
});
