// Results without an answer: a separate state, with the reason and what to do.

import assert from 'node:assert/strict';
import { BONE, changed, DROPPED, incomplete, NOTE, unreadable, withoutUploads } from './responses.mjs';
import { headFile } from './head.mjs';
import { sampleWithFinding } from './samples.mjs';
import { canvasPixels, drawn, openSample, painted, save, seeResult, slideTo } from './actions.mjs';
import { origin, pageTest } from './page-fixture.mjs';

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

pageTest('an unreadable slice shows the reason first, then what to do, and no outline', {}, async (page) => {
  const { sample } = await sampleWithFinding(origin());
  await openSample(page, sample);
  assert.ok(await outlinedPixels(page) > 50);
  await page.locator('#compare').selectOption('plain');
  await changed(page, unreadable);
  await openSample(page, sample);
  const headline = page.locator('.headline[data-detected="null"]');
  const words = await headline.innerText();
  assert.match(words, /No answer: this image could not be interpreted/);
  assert.ok(words.includes(BONE.message) && !words.includes(NOTE.message));
  assert.match(words, /neither confirmed nor excluded[\s\S]*What to do: [\s\S]*Grey values: could not be interpreted/);
  assert.ok(await headline.locator('.unknown-icon').isVisible(), 'an icon, not a colour alone');
  assert.equal(await headline.evaluate((node) => getComputedStyle(node).borderTopStyle), 'dashed');
  assert.ok((await page.locator('.warnings').innerText()).includes(NOTE.message));
  await assertNoFigures(page);
  assert.match(await page.locator('#status').textContent(), /could not be interpreted[\s\S]*bone window/);
  assert.match(await page.locator('#pane-a canvas').getAttribute('aria-label'), /could not be interpreted$/);
  assert.equal(await page.locator('#viewport').getAttribute('data-layout'), 'single', 'nothing to compare');
  assert.equal(await outlinedPixels(page), 0);
  assert.ok(await page.locator('#viewport-note').isVisible());
});

pageTest('without an answer, tools and files that would be empty are disabled, with the reason', {}, async (page) => {
  const { sample } = await sampleWithFinding(origin());
  await changed(page, unreadable);
  await openSample(page, sample);
  for (const id of ['threshold-range', 'compare', 'heat', 'opacity']) assert.ok(await page.locator(`#${id}`).isDisabled(), id);
  assert.match(await page.locator('#threshold-note').innerText(), /has no effect: the image could not be interpreted/);
  assert.match(await page.locator('#toolbar-note').innerText(), /disabled: the image could not be interpreted/);
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
  await page.locator('#status').getByText('were copied').waitFor({ state: 'attached' });
  const text = await page.evaluate(() => navigator.clipboard.readText());
  assert.match(text, /No answer: this image could not be interpreted\nThe grey values look like a bone window/);
  assert.doesNotMatch(text, UNWANTED);
  await page.unroute('**/v1/segment*');
  await openSample(page, sample);
  for (const id of ['threshold-range', 'compare', 'heat', 'opacity']) assert.ok(await page.locator(`#${id}`).isEnabled(), id);
  assert.ok(await page.locator('#toolbar-note').isHidden() && await page.locator('#viewport-note').isHidden());
});

pageTest('an unreadable series has no volume, types, 3D or mask', { arrange: withoutUploads }, async (page) => {
  await changed(page, unreadable);
  await page.setInputFiles('#file', headFile());
  await seeResult(page);
  await page.locator('.verdict').getByText('No answer: this image could not be interpreted').waitFor();
  await assertNoFigures(page);
  assert.ok(await page.locator('#three-d').isDisabled());
  assert.match(await page.locator('#slice').getAttribute('aria-valuetext'), /of 6, could not be interpreted$/);
  assert.equal(await page.locator('.totals').count(), 0);
  assert.deepEqual(await page.locator('#downloads-list button').evaluateAll((nodes) => nodes.map(({ id }) => id)), ['save-json']);
});

pageTest('one unreadable slice of a series is marked, and the others keep their results', { arrange: withoutUploads }, async (page) => {
  await changed(page, (report) => {
    incomplete(report);
    report.warnings = [{ ...BONE, message: `On 1 of 6 slices: ${BONE.message}`, doubt: 'incomplete' }];
    Object.assign(report.slices[2], { probability: null, probability_alone: null, readout: { open: false, min_lesion_px: 1 } });
    delete report.slices[2].probabilities;
  });
  await page.setInputFiles('#file', headFile());
  await seeResult(page);
  const headline = page.locator('.headline[data-detected="null"]');
  assert.match(await headline.innerText(), /part of the head was not analysed[\s\S]*On 1 of 6 slices: The grey values look like a bone window[\s\S]*export the slices that could not be interpreted again/);
  await slideTo(page, 'slice', 2);
  assert.match(await page.locator('#slice').getAttribute('aria-valuetext'), /could not be interpreted$/);
  assert.match(await page.locator('#threshold-note').innerText(), /This slice could not be interpreted/);
  assert.ok(await page.locator('#viewport-note').isVisible() && await page.locator('#save-mask').isDisabled());
  await slideTo(page, 'slice', 3);
  assert.match(await page.locator('#slice').getAttribute('aria-valuetext'), /nothing outlined$/);
  assert.ok(await page.locator('#viewport-note').isHidden() && await page.locator('#save-mask').isEnabled());
});

pageTest('where part of the head is missing, "no" is not shown, and the threshold works', { arrange: withoutUploads }, async (page) => {
  await changed(page, incomplete);
  await page.setInputFiles('#file', headFile());
  await seeResult(page);
  const headline = page.locator('.headline');
  assert.equal(await headline.getAttribute('data-detected'), 'null');
  const words = await headline.innerText();
  assert.match(words, /No answer: part of the head was not analysed/);
  assert.ok(words.includes(DROPPED.message));
  assert.match(words, /Nothing is outlined on the analysed slices\. The others may show a hemorrhage/);
  await assertNoFigures(page);
  assert.match(await page.locator('#downloads').innerText(), /not the whole head/);
  await slideTo(page, 'threshold-range', 0.02);
  await page.locator('.headline[data-detected="true"]').waitFor();
  assert.match(await page.locator('.headline').innerText(), /and may show more/);
  assert.match(await page.locator('.totals').innerText(), /unknown: part of the head was not analysed/);
  await page.locator('#threshold-reset').click();
  await page.locator('.headline[data-detected="null"]').waitFor();
});

pageTest('above the model’s threshold, "no hemorrhage" is not shown where the model outlines one', {}, async (page) => {
  const { sample } = await sampleWithFinding(origin());
  await changed(page, (report) => { report.readout.min_lesion_px = 1e6; }); // as if no region were large enough at another threshold
  await openSample(page, sample);
  await slideTo(page, 'threshold-range', 0.9);
  await page.locator('.headline[data-detected="false"]').waitFor();
  assert.match(await page.locator('.headline').innerText(), /Nothing outlined at this threshold[\s\S]*At its own threshold/);
});

pageTest('the interpretation of the grey values is shown', {}, async (page) => {
  const { sample } = await sampleWithFinding(origin());
  const lines = [
    [{ gray_scale: 'hounsfield' }, 'Grey values: Hounsfield units'],
    [{ gray_scale: 'window_known' }, 'Grey values: brain window'],
    [{ gray_scale: 'window_estimated', estimated_window: { center_hu: 80, width_hu: 200 } }, 'Grey values: estimated window, level 80, width 200'],
  ];
  for (const [facts, line] of lines) {
    await page.unroute('**/v1/segment*');
    await changed(page, (report) => Object.assign(report.image, facts));
    await openSample(page, sample);
    assert.equal(await page.locator('.read-as').innerText(), line);
  }
});

pageTest('implausible sizes are not used for measurements', { arrange: withoutUploads }, async (page) => {
  await changed(page, (report) => {
    report.warnings = [{ code: 'head_too_small', message: 'The head is 20 mm wide.', doubt: 'unmeasurable' }];
    Object.assign(report.volume, { total_volume_ml: null });
  });
  await page.getByRole('radio', { name: 'U-Net' }).check();
  await page.setInputFiles('#file', headFile());
  await seeResult(page);
  assert.match(await page.locator('.totals').innerText(), /unknown: the sizes in the file are implausible/);
  assert.doesNotMatch(await page.locator('.lesions').innerText(), /mL|mm/);
  assert.match(await page.locator('.details').innerText(), /which is implausible/);
  assert.ok(await page.locator('#scale').isHidden());
});

pageTest('an unreadable image is explained in German', { context: { viewport: { width: 1440, height: 900 }, locale: 'de' } }, async (page) => {
  const { sample } = await sampleWithFinding(origin());
  await changed(page, unreadable);
  await openSample(page, sample);
  assert.match(await page.locator('.headline').innerText(), /Keine Antwort: Dieses Bild ist nicht auswertbar[\s\S]*Was zu tun ist[\s\S]*Grauwerte: nicht auswertbar/);
  assert.match(await page.locator('#viewport-note').innerText(), /Nicht auswertbar/);
  const lines = (await page.locator('.results, #toolbar').allInnerTexts()).join('\n').split('\n').filter((line) => /\b(the|slice|outlined|threshold|interpreted|nothing)\b/i.test(line) && !line.includes('grey values'));
  assert.deepEqual(lines.filter((line) => line !== NOTE.message), []);
});
