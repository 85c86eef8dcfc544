// What the analysis says of a lesion beside its size, in the list of lesions.

import assert from 'node:assert/strict';
import { openSample, seeResult, slideTo } from './actions.mjs';
import { origin, pageTest } from './page-fixture.mjs';
import { changed } from './responses.mjs';
import { sampleWithFinding } from './samples.mjs';

const described = (page, change = () => {}) => changed(page, (report) => {
  const [lesion] = report.lesions;
  Object.assign(lesion, {
    type: { code: 'EDH', probability: 0.9, extra_axial: 0.95, probabilities: [], not_assessed: [] },
    location: { side: 'right', depth: 'superficial', region: null },
    thickness_mm: 9.2,
    density: { mean_hu: 61.4, sd_hu: 8, above_60_hu: 0.5 },
  });
  change(report, lesion);
});

const details = (page) => page.locator('.lesion .secondary').first().textContent();

async function open(page) {
  const { sample } = await sampleWithFinding(origin());
  await openSample(page, sample);
}

pageTest('a lesion is described in words: place, type, thickness and density', {}, async (page) => {
  await described(page);
  await open(page);
  assert.match(await details(page), /superficial, on the left of the image, epidural likely .*9.2 mm thick · mean 61 HU/);
  await page.locator('#language').selectOption('de');
  await page.locator('.lesion').getByText('oberflächlich, links im Bild, epidural wahrscheinlich').waitFor();
});

pageTest('with an orientation the side is that of the patient, and an improbable type is not named', {}, async (page) => {
  await described(page, (report, lesion) => {
    report.placement = { position_mm: [0, 0, 0], row: [1, 0, 0], column: [0, 1, 0] };
    lesion.type.probability = 0.3;
    lesion.location.region = 'temporal';
  });
  await open(page);
  assert.match(await details(page), /right temporal, type uncertain/);
});

pageTest('at another threshold the lesions are not those that the analysis described', {}, async (page) => {
  await described(page);
  await open(page);
  await slideTo(page, 'threshold-range', 0.2);
  await seeResult(page);
  await page.locator('.lesion').getByText('epidural').waitFor({ state: 'detached' });
});
