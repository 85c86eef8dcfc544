// The report to print, saved from the page that analyses on the server: in its language, at its threshold.

import assert from 'node:assert/strict';
import { openSample, save, seeResult, slideTo } from './actions.mjs';
import { unreadable, changed } from './responses.mjs';
import { origin, pageTest } from './page-fixture.mjs';
import { sampleWithFinding } from './samples.mjs';

pageTest('the report to print is saved in the language and at the threshold of the page', {}, async (page) => {
  const { sample } = await sampleWithFinding(origin());
  await openSample(page, sample);
  const english = await save(page, 'html');
  assert.match(english.name, /_report\.html$/);
  assert.match(english.bytes.toString(), /^<!doctype html>\n<html lang="en">/);
  assert.ok(english.bytes.length > 20_000, `${english.bytes.length} bytes, as the picture is in it`);
  await slideTo(page, 'threshold-range', 0.61);
  await page.locator('#language').selectOption('de');
  await page.locator('html[lang="de"]').waitFor();
  await seeResult(page);
  const german = (await save(page, 'html')).bytes.toString();
  assert.match(german, /<html lang="de">/);
  assert.match(german, /Schwellenwert der Maske: <\/dt><dd>0,61</);
});

pageTest('an image that could not be interpreted has no report to print', {}, async (page) => {
  await changed(page, unreadable);
  const { sample } = await sampleWithFinding(origin());
  await openSample(page, sample);
  assert.equal(await page.locator('#save-html').count(), 0);
});
