// Where the answer is neither yes nor no: a state of its own, in words, with the reason and what to do.

import assert from 'node:assert/strict';
import { BONE, changed, DROPPED, incomplete, NOTE, unreadable, withoutUploads } from './responses.mjs';
import { headFile } from './head.mjs';
import { sampleWithFinding } from './samples.mjs';
import { canvasPixels, drawn, openSample, painted, save, seeResult, slideTo } from './actions.mjs';
import { origin, pageTest } from './page-test.mjs';

const UNWANTED = /NaN|\bnull\b|undefined|\b0\s?%/;

async function assertNoFigures(page) {
  const words = await page.locator('.results').innerText();
  assert.doesNotMatch(words, UNWANTED);
  assert.doesNotMatch(await page.locator('#findings').innerText(), /No hemorrhage|%|Type of hemorrhage/);
  assert.equal(await page.locator('.subtypes, .lesion').count(), 0);
}

async function outlinedPixels(page) {
  await drawn(page);
  const { models } = await (await fetch(`${origin()}/v1/models`)).json();
  return painted(await canvasPixels(page, 'a'), models[0].classes[0].color).count;
}

pageTest('a slice that was not understood: the reason first, what to do, and nothing outlined', {}, async (page) => {
  const { sample } = await sampleWithFinding(origin());
  await openSample(page, sample);
  assert.ok(await outlinedPixels(page) > 50);
  await page.locator('#compare').selectOption('plain');
  await changed(page, unreadable);
  await openSample(page, sample);
  const headline = page.locator('.headline[data-detected="null"]');
  const words = await headline.innerText();
  assert.match(words, /No answer: this image was not understood/);
  assert.ok(words.includes(BONE.message) && !words.includes(NOTE.message));
  assert.match(words, /says nothing about a hemorrhage[\s\S]*What to do: [\s\S]*Read as: not understood/);
  assert.ok(await headline.locator('.unknown-icon').isVisible(), 'a sign, not a colour alone');
  assert.equal(await headline.evaluate((node) => getComputedStyle(node).borderTopStyle), 'dashed');
  assert.ok((await page.locator('.warnings').innerText()).includes(NOTE.message));
  await assertNoFigures(page);
  assert.match(await page.locator('#status').textContent(), /not understood[\s\S]*bone window/);
  assert.match(await page.locator('#pane-a canvas').getAttribute('aria-label'), /not understood$/);
  assert.equal(await page.locator('#viewport').getAttribute('data-layout'), 'single', 'nothing to compare');
  assert.equal(await outlinedPixels(page), 0);
  assert.ok(await page.locator('#viewport-note').isVisible());
});

pageTest('without an answer, tools and files that would be empty are off, and say why', {}, async (page) => {
  const { sample } = await sampleWithFinding(origin());
  await changed(page, unreadable);
  await openSample(page, sample);
  for (const id of ['threshold-range', 'compare', 'heat', 'opacity']) assert.ok(await page.locator(`#${id}`).isDisabled(), id);
  assert.match(await page.locator('#threshold-note').innerText(), /has no effect: the image was not understood/);
  assert.match(await page.locator('#toolbar-note').innerText(), /off: the image was not understood/);
  assert.equal(await page.locator('#compare').getAttribute('aria-describedby'), 'toolbar-note');
  const before = await page.locator('#threshold-value').innerText();
  for (const key of [']', 'c', 'h', 'o', 'n']) await page.keyboard.press(key);
  assert.equal(await page.locator('#threshold-value').innerText(), before);
  assert.equal(await page.locator('#compare').inputValue(), '');
  assert.deepEqual(await page.locator('#downloads-list button').evaluateAll((nodes) => nodes.map(({ id }) => id)), ['save-json']);
  assert.match(await page.locator('#downloads').innerText(), /There is no mask to save/);
  const report = JSON.parse((await save(page, 'json')).bytes);
  assert.equal(report.hemorrhage.detected, null);
  await page.getByRole('button', { name: 'Copy as text' }).click();
  const text = await page.evaluate(() => navigator.clipboard.readText());
  assert.match(text, /No answer: this image was not understood\nThe grey values look like a bone window/);
  assert.doesNotMatch(text, UNWANTED);
  await page.unroute('**/v1/segment*');
  await openSample(page, sample);
  for (const id of ['threshold-range', 'compare', 'heat', 'opacity']) assert.ok(await page.locator(`#${id}`).isEnabled(), id);
  assert.ok(await page.locator('#toolbar-note').isHidden() && await page.locator('#viewport-note').isHidden());
});

pageTest('a series that was not understood has no volume, no types, no 3D and no mask', { arrange: withoutUploads }, async (page) => {
  await changed(page, unreadable);
  await page.setInputFiles('#file', headFile());
  await seeResult(page);
  await page.locator('.verdict').getByText('No answer: this image was not understood').waitFor();
  await assertNoFigures(page);
  assert.ok(await page.locator('#three-d').isDisabled());
  assert.match(await page.locator('#slice').getAttribute('aria-valuetext'), /of 6, not understood$/);
  assert.equal(await page.locator('.totals').count(), 0);
  assert.deepEqual(await page.locator('#downloads-list button').evaluateAll((nodes) => nodes.map(({ id }) => id)), ['save-json']);
});

pageTest('one slice of a series that was not understood: the others stand, that one is marked', { arrange: withoutUploads }, async (page) => {
  await changed(page, (report) => {
    incomplete(report);
    report.warnings = [{ ...BONE, message: `On 1 of 6 slices: ${BONE.message}`, doubt: 'incomplete' }];
    Object.assign(report.slices[2], { probability: null, probability_alone: null, readout: { open: false, min_lesion_px: 1 } });
    delete report.slices[2].probabilities;
  });
  await page.setInputFiles('#file', headFile());
  await seeResult(page);
  const headline = page.locator('.headline[data-detected="null"]');
  assert.match(await headline.innerText(), /not all of the head was analysed[\s\S]*On 1 of 6 slices: The grey values look like a bone window[\s\S]*export the slices that were not understood again/);
  await slideTo(page, 'slice', 2);
  assert.match(await page.locator('#slice').getAttribute('aria-valuetext'), /not understood$/);
  assert.match(await page.locator('#threshold-note').innerText(), /This slice was not understood/);
  assert.ok(await page.locator('#viewport-note').isVisible() && await page.locator('#save-mask').isDisabled());
  await slideTo(page, 'slice', 3);
  assert.match(await page.locator('#slice').getAttribute('aria-valuetext'), /nothing outlined$/);
  assert.ok(await page.locator('#viewport-note').isHidden() && await page.locator('#save-mask').isEnabled());
});

pageTest('content that was left out: "no" is not said, and the threshold still works', { arrange: withoutUploads }, async (page) => {
  await changed(page, incomplete);
  await page.setInputFiles('#file', headFile());
  await seeResult(page);
  const headline = page.locator('.headline');
  assert.equal(await headline.getAttribute('data-detected'), 'null');
  const words = await headline.innerText();
  assert.match(words, /No answer: not all of the head was analysed/);
  assert.ok(words.includes(DROPPED.message));
  assert.match(words, /Nothing is outlined on the slices that were analysed\. The rest may show a hemorrhage/);
  await assertNoFigures(page);
  assert.match(await page.locator('#downloads').innerText(), /not the whole head/);
  await slideTo(page, 'threshold-range', 0.02);
  await page.locator('.headline[data-detected="true"]').waitFor();
  assert.match(await page.locator('.headline').innerText(), /the rest may show more/);
  assert.match(await page.locator('.totals').innerText(), /unknown: not all of the head was analysed/);
  await page.locator('#threshold-reset').click();
  await page.locator('.headline[data-detected="null"]').waitFor();
});

pageTest('above the model’s own threshold "no hemorrhage" is not said where the model says yes', {}, async (page) => {
  const { sample } = await sampleWithFinding(origin());
  await changed(page, (report) => { report.readout.min_lesion_px = 1e6; }); // as if no region reached another threshold
  await openSample(page, sample);
  await slideTo(page, 'threshold-range', 0.9);
  await page.locator('.headline[data-detected="false"]').waitFor();
  assert.match(await page.locator('.headline').innerText(), /Nothing outlined at this threshold[\s\S]*at its own threshold/);
});

pageTest('how the grey values were read is said in a line', {}, async (page) => {
  const { sample } = await sampleWithFinding(origin());
  const lines = [
    [{ gray_scale: 'hounsfield' }, 'Read as: Hounsfield units'],
    [{ gray_scale: 'window_known' }, 'Read as: a brain window'],
    [{ gray_scale: 'window_estimated', estimated_window: { center_hu: 80, width_hu: 200 } }, 'Read as: an estimated window, level 80, width 200'],
  ];
  for (const [facts, line] of lines) {
    await page.unroute('**/v1/segment*');
    await changed(page, (report) => Object.assign(report.image, facts));
    await openSample(page, sample);
    assert.equal(await page.locator('.read-as').innerText(), line);
  }
});

pageTest('sizes that cannot be right are not measured with', { arrange: withoutUploads }, async (page) => {
  await changed(page, (report) => {
    report.warnings = [{ code: 'head_too_small', message: 'The head is 20 mm wide.', doubt: 'unmeasurable' }];
    Object.assign(report.volume, { total_volume_ml: null });
  });
  await page.getByRole('radio', { name: 'U-Net' }).check();
  await page.setInputFiles('#file', headFile());
  await seeResult(page);
  assert.match(await page.locator('.totals').innerText(), /unknown: the sizes in the file cannot be right/);
  assert.doesNotMatch(await page.locator('.lesions').innerText(), /ml|mm/);
  assert.match(await page.locator('.details').innerText(), /which cannot be right/);
  assert.ok(await page.locator('#scale').isHidden());
});

pageTest('in German too', { context: { viewport: { width: 1440, height: 900 }, locale: 'de' } }, async (page) => {
  const { sample } = await sampleWithFinding(origin());
  await changed(page, unreadable);
  await openSample(page, sample);
  assert.match(await page.locator('.headline').innerText(), /Keine Antwort: Dieses Bild wurde nicht verstanden[\s\S]*Was zu tun ist[\s\S]*Gelesen als: nicht verstanden/);
  assert.match(await page.locator('#viewport-note').innerText(), /Nicht verstanden/);
  const lines = (await page.locator('.results, #toolbar').allInnerTexts()).join('\n').split('\n').filter((line) => /\b(the|slice|outlined|threshold|understood|nothing)\b/i.test(line) && !line.includes('grey values'));
  assert.deepEqual(lines.filter((line) => line !== NOTE.message), []);
});
