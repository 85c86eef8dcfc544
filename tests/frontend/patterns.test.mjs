// Causes to consider: shown with their sources, in the language of the page, and only for the lesions of the report.

import assert from 'node:assert/strict';
import { openSample, seeResult, slideTo } from './actions.mjs';
import { origin, pageTest } from './page-fixture.mjs';
import { changed } from './responses.mjs';
import { sampleWithFinding } from './samples.mjs';

const patterns = [{
  code: 'iph_deep',
  lesions: [1, 2],
  consider: { en: 'Consider <b>hypertensive</b> disease.', de: 'An eine hypertensive Erkrankung denken.' },
  sources: [{ authors: 'Greenberg et al.', journal: 'Stroke', year: 2022, doi: '10.1161/STR.0000000000000407' }],
}];
const withPatterns = (page) => changed(page, (report) => { report.patterns = patterns; });

pageTest('a pattern is shown as text, with its source', {}, async (page) => {
  await withPatterns(page);
  const { sample } = await sampleWithFinding(origin());
  await openSample(page, sample);
  const row = page.locator('.patterns li');
  assert.match(await row.textContent(), /^Area 1, 2: Consider <b>hypertensive<\/b> disease\. Greenberg et al\., Stroke 2022$/);
  assert.equal(await row.locator('b').count(), 0);
  const link = row.getByRole('link');
  assert.deepEqual([await link.getAttribute('href'), await link.getAttribute('rel')], ['https://doi.org/10.1161/STR.0000000000000407', 'noopener noreferrer']);
  assert.match(await page.locator('.patterns').textContent(), /not predicted from the image/);
  await page.locator('#language').selectOption('de');
  await page.locator('.patterns').getByText('An eine hypertensive Erkrankung denken.').waitFor();
});

pageTest('at another threshold, whose lesions are not those of the report, there is no pattern', {}, async (page) => {
  await withPatterns(page);
  const { sample } = await sampleWithFinding(origin());
  await openSample(page, sample);
  assert.equal(await page.locator('.patterns').count(), 1);
  await slideTo(page, 'threshold-range', 0.2);
  await seeResult(page);
  await page.locator('.patterns').waitFor({ state: 'detached' });
});

pageTest('a report without patterns shows none', {}, async (page) => {
  await changed(page, (report) => { delete report.patterns; });
  const { sample } = await sampleWithFinding(origin());
  await openSample(page, sample);
  assert.equal(await page.locator('.patterns').count(), 0);
});
