// Opening files: by click, drop and paste, valid and damaged.

import assert from 'node:assert/strict';
import { changed, clear } from './responses.mjs';
import { flatPng, greyTiff, sampleBytes, samples } from './samples.mjs';
import { canvasPixels, dropFiles, encodedBy, openSample, save, seeResult } from './actions.mjs';
import { origin, pageTest } from './page-fixture.mjs';

const HTTP_ERROR_LINE = /status of 4\d\d/; // Chromium's console line for an answer of 4xx
const png = (name, buffer) => ({ name, mimeType: 'image/png', buffer });

pageTest('a file chosen by click is segmented', {}, async (page) => {
  const buffer = await encodedBy(page, `samples/${samples[2].file}`, 'image/jpeg');
  const choosing = page.waitForEvent('filechooser');
  await page.getByText('Drop or choose files').click();
  await (await choosing).setFiles({ name: 'my slice.jpg', mimeType: 'image/jpeg', buffer });
  await seeResult(page);
  assert.match(await page.locator('#caption').innerText(), /my slice\.jpg · 512 × 512 px/);
  assert.equal((await save(page, 'mask')).name, 'my slice_mask.png');
});

pageTest('a file dropped anywhere is segmented, and the sample is unmarked', {}, async (page) => {
  await openSample(page, samples[0]);
  assert.equal(await page.locator('.sample[aria-pressed="true"]').count(), 1);
  const buffer = await encodedBy(page, `samples/${samples[2].file}`, 'image/webp');
  await dropFiles(page, { name: 'dropped.webp', mimeType: 'image/webp', buffer });
  await page.getByText('dropped.webp · 512 × 512 px').waitFor();
  await seeResult(page);
  assert.equal(await page.locator('.sample[aria-pressed="true"]').count(), 0);
  assert.equal(await page.locator('.reference-label').count(), 0);
});

pageTest('a pasted picture is segmented, pasted text is ignored', {}, async (page) => {
  const paste = (kind, bytes) => page.evaluate(([type, base64]) => {
    const clipboardData = new DataTransfer();
    if (type === 'text/plain') clipboardData.setData(type, 'words');
    else clipboardData.items.add(new File([Uint8Array.from(atob(base64), (char) => char.charCodeAt(0))], 'pasted.png', { type }));
    document.body.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true }));
  }, [kind, bytes.toString('base64')]);
  await paste('text/plain', Buffer.alloc(0));
  assert.ok(await page.locator('#welcome').isVisible());
  await paste('image/png', flatPng(200, 160, 60));
  await page.getByText('pasted.png · 200 × 160 px').waitFor();
  await seeResult(page);
});

pageTest('a rotated photo is shown upright', {}, async (page) => {
  const upright = await encodedBy(page, `samples/${samples[0].file}`, 'image/jpeg', [300, 180]);
  // EXIF in little endian with one entry: orientation (0x0112), SHORT, 6: turn by 90 degrees.
  const exif = Buffer.from('ffe1002245786966000049492a0008000000010012010300010000000600000000000000', 'hex');
  const turned = Buffer.concat([upright.subarray(0, 2), exif, upright.subarray(2)]);
  await page.setInputFiles('#file', { name: 'turned.jpg', mimeType: 'image/jpeg', buffer: turned });
  await seeResult(page);
  assert.match(await page.locator('#caption').innerText(), /turned\.jpg · 180 × 300 px$/);
});

pageTest('a wide slice keeps its shape', {}, async (page) => {
  await page.setInputFiles('#file', png('wide.png', flatPng(300, 120, 90)));
  await seeResult(page);
  assert.match(await page.locator('#caption').innerText(), /300 × 120 px/);
});

pageTest('a result without an outline is not called healthy', {}, async (page) => {
  await changed(page, clear);
  await openSample(page, samples[0]);
  await page.locator('.verdict', { hasText: 'No hemorrhage outlined' }).waitFor();
  await page.getByText('This does not rule out a hemorrhage').waitFor();
  assert.equal(await page.locator('.lesion').count(), 0);
});

pageTest('a black picture could not be interpreted, and is not called healthy', {}, async (page) => {
  await page.setInputFiles('#file', png('black.png', flatPng(256, 256)));
  await seeResult(page);
  assert.equal(await page.locator('.headline').getAttribute('data-detected'), 'null');
  assert.match(await page.locator('.headline').innerText(), /^\?\s*No answer: this image could not be interpreted\s+The picture is blank[\s\S]*neither confirmed nor excluded/);
  assert.equal(await page.locator('.lesion').count(), 0);
});

pageTest('a TIFF, which the browser cannot decode, is shown from the server’s samples', {}, async (page) => {
  const pixels = Buffer.alloc(128 * 128, 80);
  await page.setInputFiles('#file', { name: 'slice.tif', mimeType: 'image/tiff', buffer: greyTiff(128, 128, pixels) });
  await seeResult(page);
  const { width, height, data } = await canvasPixels(page, 'a');
  assert.deepEqual([...data.subarray(4 * (Math.floor(height / 2) * width + Math.floor(width / 2))).subarray(0, 3)], [80, 80, 80]);
});

for (const [what, file, says] of [
  ['a text file', { name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('not a slice') }, /Save the slice as PNG/],
  ['a PNG that is cut off', png('cut.png', (await sampleBytes(samples[0].file)).subarray(0, 3000)), /Export the slice again/],
  ['noise named PNG', png('noise.png', Buffer.alloc(5000, 0xa7)), /PNG/],
  ['an empty file', png('empty.png', Buffer.alloc(0)), /The file is empty/],
]) {
  pageTest(`${what} gets a clear error, and the next valid file works`, { expected: HTTP_ERROR_LINE }, async (page) => {
    await openSample(page, samples[0]);
    await page.setInputFiles('#file', file);
    const error = page.getByRole('alert');
    await error.waitFor();
    assert.match(await error.innerText(), says);
    const choosing = page.waitForEvent('filechooser');
    await error.getByRole('button', { name: 'Choose another file' }).click();
    await choosing;
    assert.equal(await page.locator('.verdict').count(), 0, 'no finding of the slice before');
    assert.ok(await page.locator('#downloads').isHidden());
    await openSample(page, samples[2]);
    assert.ok(await error.isHidden());
  });
}

pageTest('a file above the server’s limit is rejected before it is sent', {
  arrange: (page) => page.route('**/v1/models', async (route) => {
    const response = await route.fetch();
    const facts = await response.json();
    await route.fulfill({ response, json: { ...facts, limits: { ...facts.limits, max_body_bytes: 2048, max_upload_bytes: undefined } } });
  }),
}, async (page) => {
  let sent = 0;
  page.on('request', (request) => { sent += request.url().includes('/v1/segment') ? 1 : 0; });
  await page.getByText(/up to 2.KiB/).waitFor();
  await page.setInputFiles('#file', png('large.png', Buffer.alloc(4096)));
  const error = page.getByRole('alert');
  await error.waitFor();
  assert.match(await error.innerText(), /too large[\s\S]*4.KiB[\s\S]*2.KiB/i);
  assert.equal(sent, 0);
});

pageTest('the page lists the server’s formats, and the file dialog hides none: DICOM often has no extension', {}, async (page) => {
  const { media_types: types } = await (await fetch(`${origin()}/v1/models`)).json();
  await page.locator('.model').first().waitFor();
  const said = await page.locator('#drop-types').innerText();
  for (const type of types.filter((one) => !one.includes('gzip'))) assert.ok(said.toUpperCase().includes(type.split('/')[1].toUpperCase()), type);
  assert.equal(await page.locator('#file').getAttribute('accept'), null);
  assert.ok(await page.locator('#file').getAttribute('multiple') !== null);
});
