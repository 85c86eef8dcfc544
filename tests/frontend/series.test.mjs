// A series: progress, slices, volume, sides, saved files.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { changed, withoutUploads } from './responses.mjs';
import { headFile, headNifti, hounsfield, SIZE, STEPS_MM } from './head.mjs';
import { ROOT } from './ichor.mjs';
import { sampleBytes, samples } from './samples.mjs';
import { canvasPixels, drawn, dropFiles, painted, save, seeResult, slideTo } from './actions.mjs';
import { origin, PHONE, pageTest } from './page-fixture.mjs';

const DICOM = join(ROOT, 'tests', 'data', 'dicom', 'head-ge');
const REFUSED = /status of 4\d\d|ERR_/;

/** The server's report of the head, by a model that outlines it. */
async function serverReport(query = '') {
  const response = await fetch(`${origin()}/v1/segment?model=unet&include=${query}`, { method: 'POST', body: headNifti(), headers: { 'content-type': 'application/gzip' } });
  return response.json();
}

/** Opens the head with the same model. */
async function openHead(page, options) {
  await page.getByRole('radio', { name: 'U-Net' }).check();
  await page.setInputFiles('#file', headFile(options));
  await seeResult(page);
}

pageTest('a volume is shown as a series with its volume in mL, its key slice and one lesion', {}, async (page) => {
  const report = await serverReport();
  await openHead(page);
  assert.equal(await page.locator('#slice-number').innerText(), `Slice ${report.series.key_slice + 1} of ${SIZE.slices}`);
  const shown = Number((await page.locator('.totals dd').first().innerText()).replace(/[^\d.]/g, ''));
  assert.ok(Math.abs(shown - report.volume.total_volume_ml) <= 0.06, `${shown} ml for ${report.volume.total_volume_ml}`);
  assert.equal(await page.locator('.lesion').count(), report.volume.lesions.length);
  const [largest] = report.volume.lesions;
  assert.match(await page.locator('.lesion').first().innerText(), new RegExp(`slices ${largest.first_slice + 1} to ${largest.last_slice + 1}[\\s\\S]*ABC/2`));
  assert.match(await page.locator('.headline').innerText(), /Highest probability of hemorrhage in a slice[\s\S]*whole head is not given/);
});

for (const flipped of [[false, false, false], [true, false, true], [true, true, false]]) {
  pageTest(`blood on the patient’s left is drawn on that side, axes flipped: ${flipped}`, {}, async (page) => {
    const { models } = await (await fetch(`${origin()}/v1/models`)).json();
    const { color } = models.find(({ name }) => name === 'unet').classes[0];
    await openHead(page, { flipped });
    await page.getByRole('radio', { name: 'Fill', exact: true }).check();
    await slideTo(page, 'opacity', 100);
    const { x, y } = painted(await canvasPixels(page, 'a'), color);
    // Centred at 0.16 of the head's width to the left of its middle, 0.05 of its height to the back.
    const box = await page.locator('#pane-a canvas').boundingBox();
    const scale = Math.min(box.width / (SIZE.columns * STEPS_MM[0]), box.height / (SIZE.rows * STEPS_MM[1]));
    const from = { x: ((x - 0.5) * box.width) / scale, y: ((y - 0.5) * box.height) / scale };
    assert.ok(Math.abs(from.x - 0.16 * SIZE.columns * STEPS_MM[0]) < 8, `${from.x} mm to the right of the middle`);
    assert.ok(Math.abs(from.y - 0.05 * SIZE.rows * STEPS_MM[1]) < 8, `${from.y} mm below the middle`);
    assert.equal(await page.locator('[data-side="right"]').innerText(), 'L');
    assert.equal(await page.locator('[data-side="left"]').innerText(), 'R');
    assert.equal(await page.locator('[data-side="top"]').innerText(), 'A');
    assert.match(await page.locator('#pane-a canvas').getAttribute('aria-description'), /Left edge: patient’s right/);
  });
}

pageTest('unknown sides are not labelled', {}, async (page) => {
  await openHead(page, { placed: false });
  assert.equal(await page.locator('[data-side="left"]').innerText(), '');
  assert.match(await page.locator('#slice-number').innerText(), /Left and right unknown/);
});

pageTest('slices change by slider, button, key and wheel; the value under the pointer is that of the file', {}, async (page) => {
  await openHead(page);
  const number = async () => { await drawn(page); return Number(/Slice (\d+)/.exec(await page.locator('#slice-number').innerText())[1]); };
  await slideTo(page, 'slice', 0);
  assert.equal(await number(), 1);
  await page.getByRole('button', { name: 'Next slice' }).click();
  assert.equal(await number(), 2);
  await page.locator('#viewport').focus();
  await page.keyboard.press('ArrowDown');
  assert.equal(await number(), 3);
  await page.keyboard.press('End');
  assert.equal(await number(), SIZE.slices);
  await page.keyboard.press('ArrowUp');
  assert.equal(await number(), SIZE.slices - 1);
  const box = await page.locator('#pane-a canvas').boundingBox();
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  await page.mouse.wheel(0, -60);
  assert.equal(await number(), SIZE.slices - 2);
  await page.mouse.move(box.x + box.width / 2 + 3, box.y + box.height / 2 + 3);
  const [, x, y, hu] = /(\d+), (\d+): (-?[\d,]+) HU/.exec(await page.locator('#readout').innerText());
  assert.equal(Number(hu.replace(',', '')), hounsfield(Number(x), Number(y), SIZE.slices - 3));
  await page.getByRole('button', { name: 'Key slice' }).first().click();
  assert.equal(await number(), (await serverReport()).series.key_slice + 1);
});

pageTest('window and level work on Hounsfield units, by preset, slider, key and right-drag', {}, async (page) => {
  await openHead(page);
  const { windows } = await (await fetch(`${origin()}/v1/models`)).json();
  const greyAt = async () => {
    const { width, height, data } = await canvasPixels(page, 'a');
    return data[4 * (Math.floor(height * 0.72) * width + Math.floor(width * 0.46))];
  };
  await page.getByRole('radio', { name: 'Off' }).check();
  const value = async () => { const box = await page.locator('#pane-a canvas').boundingBox(); await page.mouse.move(box.x + box.width * 0.46, box.y + box.height * 0.72); return Number(/: (-?\d+) HU/.exec(await page.locator('#readout').innerText())[1]); };
  const hu = await value();
  for (const [at, { name, center_hu: center, width_hu: width }] of windows.entries()) {
    await page.keyboard.press(String(at + 1));
    assert.equal(await page.locator('#window-preset').inputValue(), name);
    const expected = 255 * Math.min(1, Math.max(0, (hu - (center - 0.5)) / (width - 1) + 0.5));
    // The noise of the tissue is 13 HU, which smoothing reduces.
    assert.ok(Math.abs(await greyAt() - expected) < 10 * (255 / width) + 6, `${name}: ${await greyAt()} for ${expected}`);
  }
  await slideTo(page, 'window-center', -100);
  assert.equal(await page.locator('#window-preset').inputValue(), 'custom');
  await slideTo(page, 'window-width', 10);
  assert.equal(await greyAt(), 255);
  const box = await page.locator('#pane-a canvas').boundingBox();
  await page.mouse.move(box.x + 200, box.y + 200);
  await page.mouse.down({ button: 'right' });
  await page.mouse.move(box.x + 260, box.y + 200);
  await page.mouse.up({ button: 'right' });
  assert.ok(Number(await page.locator('#window-width').inputValue()) > 10);
});

pageTest('the threshold changes the volume without a request, and as the server would', {}, async (page) => {
  await openHead(page);
  let requests = 0;
  page.on('request', (request) => { requests += /segment|uploads/.test(request.url()) ? 1 : 0; });
  for (const value of [0.1, 0.8]) {
    await slideTo(page, 'threshold-range', value);
    await page.locator('.details dd', { hasText: `${value.toFixed(2)}, changed` }).waitFor();
    const expected = (await serverReport(`&threshold=${value}`)).volume.total_volume_ml;
    const shown = Number((await page.locator('.totals dd').first().innerText()).replace(/[^\d.]/g, ''));
    assert.ok(Math.abs(shown - expected) <= 0.02 * expected + 0.06, `${shown} ml for ${expected} at ${value}`);
  }
  assert.equal(requests, 0);
});

pageTest('a lesion in the list is centred when chosen, and can be deselected', {}, async (page) => {
  const { models } = await (await fetch(`${origin()}/v1/models`)).json();
  const { color } = models.find(({ name }) => name === 'unet').classes[0];
  await openHead(page);
  await slideTo(page, 'slice', 0);
  const row = page.locator('.lesion').first();
  await row.click();
  assert.equal(await row.getAttribute('aria-pressed'), 'true');
  const { x, y } = painted(await canvasPixels(page, 'a'), color, 30);
  assert.ok(Math.hypot(x - 0.5, y - 0.5) < 0.08, `at ${x}, ${y} of the picture`);
  await row.click();
  assert.equal(await row.getAttribute('aria-pressed'), 'false');
});

pageTest('the masks are saved as NIfTI in the server’s geometry', {}, async (page) => {
  await openHead(page);
  const { name, bytes } = await save(page, 'nifti');
  assert.equal(name, 'head_mask.nii.gz');
  const volume = gunzipSync(bytes);
  const report = await serverReport();
  const voxels = volume.subarray(352).reduce((sum, value) => sum + value, 0);
  assert.equal(voxels, report.slices.reduce((sum, { area_px: area }) => sum + area, 0));
  const affine = [0, 1, 2].map((row) => [0, 1, 2, 3].map((column) => volume.readFloatLE(280 + 16 * row + 4 * column)));
  const expected = [[-1.25, 0, 0, 100.5], [0, -1.2, 0, 110.25], [0, 0, 6, -40]];
  assert.ok(affine.flat().every((value, at) => Math.abs(value - expected.flat()[at]) < 1e-4), JSON.stringify(affine));
});

pageTest('several DICOM files are one series, with sides and a DICOM segmentation', {}, async (page) => {
  const files = await Promise.all(['18', '15', '17', '16'].map(async (name) => ({ name: `${name}.dcm`, mimeType: '', buffer: await readFile(join(DICOM, `${name}.dcm`)) })));
  await dropFiles(page, ...files);
  await seeResult(page);
  assert.match(await page.locator('#slice-number').innerText(), /of 4/);
  assert.equal(await page.locator('[data-side="left"]').innerText(), 'R');
  assert.match(await page.locator('#findings').innerText(), /tilt/i);
  const { bytes } = await save(page, 'dicom');
  assert.equal(bytes.toString('latin1', 128, 132), 'DICM');
});

pageTest('several pictures of one head are a series without sizes', {}, async (page) => {
  const files = await Promise.all(samples.slice(0, 3).map(async ({ file }) => ({ name: file, mimeType: 'image/png', buffer: await sampleBytes(file) })));
  await page.setInputFiles('#file', files);
  await page.getByRole('button', { name: 'One head' }).click();
  await seeResult(page);
  assert.match(await page.locator('#slice-number').innerText(), /Slice \d of 3/);
  assert.match(await page.locator('.details').innerText(), /not in the file/);
});

pageTest('a running series can be cancelled, and another opened', { expected: REFUSED }, async (page) => {
  await page.route(/\/v1\/(segment|jobs|uploads)/, async (route) => { await new Promise((resolve) => { setTimeout(resolve, 3000); }); await route.continue().catch(() => {}); });
  await page.setInputFiles('#file', headFile());
  await page.locator('#busy').waitFor();
  await page.getByRole('button', { name: 'Cancel' }).click();
  assert.ok(await page.locator('#busy').isHidden());
  assert.equal(await page.locator('.verdict').count(), 0);
  await page.unroute(/\/v1\/(segment|jobs|uploads)/);
  await openHead(page);
});

pageTest('on a phone one finger changes slices and two fingers zoom', { context: PHONE }, async (page) => {
  await openHead(page);
  await slideTo(page, 'slice', 2);
  const box = await page.locator('#pane-a canvas').boundingBox();
  const touch = (type, points) => page.evaluate(([name, list]) => {
    for (const { id, x, y } of list) {
      document.elementFromPoint(x, y).dispatchEvent(new PointerEvent(name, { pointerId: id, pointerType: 'touch', clientX: x, clientY: y, bubbles: true, isPrimary: id === 1 }));
    }
  }, [type, points]);
  await page.evaluate(() => { Element.prototype.setPointerCapture = () => {}; }); // synthetic pointers cannot be captured
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  await touch('pointerdown', [{ id: 1, x, y }]);
  await touch('pointermove', [{ id: 1, x, y: y + 30 }]);
  await touch('pointerup', [{ id: 1, x, y: y + 30 }]);
  await drawn(page);
  assert.match(await page.locator('#slice-number').innerText(), /Slice 5 of/);
  await touch('pointerdown', [{ id: 1, x: x - 20, y }, { id: 2, x: x + 20, y }]);
  await touch('pointermove', [{ id: 1, x: x - 60, y }, { id: 2, x: x + 60, y }]);
  await touch('pointerup', [{ id: 1, x: x - 60, y }, { id: 2, x: x + 60, y }]);
  assert.ok(await page.getByRole('group', { name: 'Move the image' }).isVisible(), 'zoomed in, the picture can be moved');
});

pageTest('a button opens another series, and its request names it', { arrange: withoutUploads }, async (page) => {
  const sent = [];
  const chosen = (number, other) => `Of 2 series, number ${number} was segmented: kernel H40, 6 slices. Left out: ${other} (series 4, kernel BONE, 6 slices); 9 more. Take another with --series NUMBER at the command line or series=NUMBER in a request.`;
  await changed(page, (report, request) => {
    const asked = new URL(request.url()).searchParams.get('series');
    sent.push(asked);
    report.warnings.push({ code: 'series_chosen', message: asked === null ? chosen(2, 1) : chosen(1, 2) });
  });
  await page.setInputFiles('#file', headFile());
  await seeResult(page);
  const choice = page.locator('.series-choice button');
  assert.equal(await choice.count(), 1, 'only the series that the warning lists');
  assert.equal(await choice.innerText(), 'Series 1 series 4, kernel BONE, 6 slices');
  await choice.focus();
  await page.keyboard.press('Enter');
  await choice.getByText('Series 2').waitFor();
  await seeResult(page);
  assert.deepEqual(sent, [null, '1']);
  assert.match(await page.locator('.warnings').innerText(), /number 1 was segmented/);
});
