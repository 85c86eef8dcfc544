// Several pictures: the page asks each time whether they are one head, and sends them accordingly.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { unreadable, withoutUploads } from './responses.mjs';
import { headNifti } from './head.mjs';
import { sampleBytes, samples, sampleWithFinding } from './samples.mjs';
import { dropFiles, save, seeResult } from './actions.mjs';
import { DESKTOP, origin, PHONE, pageTest } from './page-fixture.mjs';
import { zipOf } from './zip-files.mjs';

const HTTP_ERROR_LINE = /status of 4\d\d/;
const png = (name, buffer) => ({ name, mimeType: 'image/png', buffer });
const AXE = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const files = await Promise.all([2, 0, 1].map(async (at) => png(`scan_${at + 9}.png`, await sampleBytes(samples[at].file))));
const question = (page) => page.getByRole('dialog', { name: 'One head, or separate pictures?' });

/** Records what is sent: queries of segment requests, and bodies of uploads. */
function recordRequests(page) {
  const sent = [];
  page.on('request', (request) => {
    const url = new URL(request.url());
    if (url.pathname === '/v1/segment') sent.push({ asSeries: url.searchParams.get('as_series'), type: request.headers()['content-type'], size: request.postDataBuffer()?.length });
    if (url.pathname === '/v1/uploads' && request.method() === 'POST') sent.push({ asSeries: String(request.postDataJSON().as_series ?? null), type: request.postDataJSON().content_type, size: request.postDataJSON().size_bytes });
  });
  return sent;
}

pageTest('one head: the pictures are sent as one series, in the order of their names', { arrange: withoutUploads, expected: /ERR_FAILED/ }, async (page) => {
  const sent = recordRequests(page);
  // The mocked answer is that of a series.
  const answer = await (await fetch(`${origin()}/v1/segment?include=mask,probabilities,samples,every_slice`, { method: 'POST', body: headNifti() })).json();
  await page.route('**/v1/segment*', (route) => route.fulfill({ json: answer }));
  await page.setInputFiles('#file', files);
  await question(page).waitFor();
  assert.match(await question(page).innerText(), /You opened 3 pictures[\s\S]*from scan_9\.png to scan_11\.png/);
  assert.deepEqual(sent, [], 'nothing is sent before the choice');
  await page.getByRole('button', { name: 'One head' }).click();
  await seeResult(page);
  assert.deepEqual(sent.map(({ asSeries }) => asSeries), ['true']);
  assert.match(await page.locator('#slice-number').innerText(), /Slice \d of 6/);
});

pageTest('separate pictures are sent one by one, and each has its own finding', {}, async (page) => {
  const { sample, report } = await sampleWithFinding(origin());
  const others = samples.filter((one) => one !== sample).slice(0, 2);
  const given = await Promise.all([others[0], sample, others[1]].map(async ({ file }, at) => png(`p${at + 1}.png`, await sampleBytes(file))));
  const sent = recordRequests(page);
  await page.setInputFiles('#file', given);
  await page.getByRole('button', { name: 'Separate pictures' }).click();
  await seeResult(page);
  assert.deepEqual(sent.map(({ asSeries, type }) => [asSeries, type]), Array(3).fill([null, 'image/png']));
  assert.match(await page.locator('#slice-number').innerText(), /Picture 1 of 3/);
  assert.match(await page.locator('#caption').innerText(), /^p1\.png/);
  await page.locator('#slice-next').click();
  assert.match(await page.locator('#caption').innerText(), /^p2\.png/);
  await page.locator('.headline[data-detected="true"]').waitFor();
  assert.equal(await page.locator('.lesion').count(), report.lesions.length);
  assert.match(await page.locator('.headline').innerText(), /hemorrhage in this slice/);
  assert.equal((await save(page, 'mask')).name, 'p2_mask.png');
  assert.equal(JSON.parse((await save(page, 'json')).bytes).lesions.length, report.lesions.length);
  assert.ok(await page.locator('#three-d').isDisabled());
  assert.match(await page.locator('#toolbar-note').innerText(), /separate pictures, not one head/);
  await page.locator('#threshold-range').fill('0.9');
  await page.locator('.details dd', { hasText: 'changed' }).waitFor();
});

pageTest('one damaged and one unreadable picture do not affect the other separate pictures', { expected: HTTP_ERROR_LINE }, async (page) => {
  let asked = 0;
  await page.route('**/v1/segment*', async (route) => {
    asked += 1;
    const third = asked === 3;
    const response = await route.fetch();
    const report = await response.json();
    if (third) unreadable(report);
    await route.fulfill({ response, json: report });
  });
  await page.setInputFiles('#file', [files[0], png('scan_10.png', Buffer.from('no picture at all')), files[2]].map((file, at) => ({ ...file, name: `scan_${at + 1}.png` })));
  await page.getByRole('button', { name: 'Separate pictures' }).click();
  await seeResult(page);
  const { length } = await page.locator('.headline').all();
  assert.equal(length, 1);
  await page.locator('#slice-next').click();
  const error = page.getByRole('alert');
  await error.waitFor();
  assert.match(await error.innerText(), /cannot be read/);
  assert.equal(await page.locator('.verdict').count(), 0);
  assert.ok(await page.locator('#downloads').isHidden());
  assert.match(await page.locator('#caption').innerText(), /^scan_2\.png/);
  await page.locator('#slice-next').click();
  assert.ok(await error.isHidden());
  assert.match(await page.locator('.verdict').innerText(), /could not be interpreted/);
  await page.locator('#slice-previous').click();
  await page.locator('#slice-previous').click();
  assert.ok(await error.isHidden());
  assert.doesNotMatch(await page.locator('.verdict').innerText(), /could not be interpreted/);
});

pageTest('a zip of pictures needs the question too: separate ones are unpacked, one head is sent as it is', { arrange: withoutUploads, expected: /ERR_FAILED/ }, async (page) => {
  const sent = recordRequests(page);
  const entries = [{ name: '__MACOSX/._a.png', bytes: Buffer.from('x') }, { name: 'head/notes.txt', bytes: Buffer.from('x') },
    ...files.map(({ name, buffer }, at) => ({ name: `head/${name}`, bytes: buffer, deflate: at !== 1 }))];
  const zip = { name: 'scans.zip', mimeType: 'application/zip', buffer: zipOf(entries) };
  await page.setInputFiles('#file', zip);
  assert.match(await question(page).innerText(), /You opened 3 pictures/);
  await page.getByRole('button', { name: 'Separate pictures' }).click();
  await seeResult(page);
  assert.deepEqual(sent.map(({ size }) => size), [0, 1, 2].map((at) => files.find(({ name }) => name === `scan_${at + 9}.png`).buffer.length));
  sent.length = 0;
  await page.setInputFiles('#file', zip);
  await page.route('**/v1/segment*', (route) => route.abort());
  await page.getByRole('button', { name: 'One head' }).click();
  await page.getByRole('alert').waitFor();
  assert.deepEqual(sent.map(({ asSeries, size }) => [asSeries, size]), [['true', zip.buffer.length]]);
});

for (const [what, list] of [
  ['a NIfTI file', [{ name: 'head.nii.gz', mimeType: 'application/gzip', buffer: headNifti() }]],
  ['a folder of files without ending, and a picture of it', [...[1, 2].map((at) => ({ name: `IM${at}`, mimeType: '', buffer: Buffer.from('0'.repeat(128) + 'DICM') })), files[0]]],
  ['one picture', [files[0]]],
  ['a zip of DICOM', [{ name: 'a.zip', mimeType: 'application/zip', buffer: zipOf([1, 2].map((at) => ({ name: `${at}.dcm`, bytes: Buffer.from('x') }))) }]],
  ['a damaged zip', [{ name: 'a.zip', mimeType: 'application/zip', buffer: Buffer.from('no zip at all') }]],
]) {
  pageTest(`${what} needs no question`, { expected: HTTP_ERROR_LINE }, async (page) => {
    const sent = recordRequests(page);
    await page.setInputFiles('#file', list);
    await page.locator('.verdict, #error:not([hidden])').first().waitFor();
    assert.equal(await page.getByRole('dialog').count(), 0);
    assert.ok(sent.length > 0 && sent.every(({ asSeries }) => asSeries === null || asSeries === 'null'));
  });
}

for (const [name, context] of [['light', { ...DESKTOP, colorScheme: 'light' }], ['dark', { ...DESKTOP, colorScheme: 'dark' }], ['phone', PHONE]]) {
  pageTest(`the question works by keyboard, is accessible, and is asked again each time, ${name}`, { context }, async (page) => {
    await page.locator('.model').first().waitFor();
    await dropFiles(page, ...files);
    await question(page).waitFor();
    assert.equal(await page.evaluate(() => document.activeElement.id), 'question-head');
    await page.evaluate(AXE);
    const { violations } = await page.evaluate(() => globalThis.axe.run(document));
    assert.deepEqual(violations.map(({ id }) => id), []);
    const box = await page.locator('dialog').boundingBox();
    assert.ok(box.x >= 0 && box.x + box.width <= page.viewportSize().width);
    await page.keyboard.press('Escape');
    await page.locator('#welcome').waitFor({ state: 'attached' });
    assert.ok(await page.locator('#busy').isHidden());
    assert.equal(await page.evaluate(() => document.body.dataset.state), 'empty');
    await dropFiles(page, ...files);
    await question(page).waitFor();
    await page.keyboard.press('Tab');
    assert.equal(await page.evaluate(() => document.activeElement.id), 'question-separate');
    await page.keyboard.press('Enter');
    await seeResult(page);
    assert.equal(await page.getByRole('dialog').count(), 0);
    assert.ok(!(await page.evaluate(() => JSON.stringify({ ...localStorage }))).includes('separate'));
    await dropFiles(page, ...files);
    await question(page).waitFor();
    // Opening another file closes the question.
    await dropFiles(page, files[0]);
    await page.getByText(`${files[0].name} ·`).waitFor();
    await seeResult(page);
    assert.equal(await page.getByRole('dialog').count(), 0);
  });
}

pageTest('the question is asked in German', { context: { ...DESKTOP, locale: 'de' } }, async (page) => {
  await page.setInputFiles('#file', files);
  const dialog = page.getByRole('dialog', { name: 'Ein Kopf oder einzelne Bilder?' });
  assert.match(await dialog.innerText(), /Sie haben 3 Bilder geöffnet/);
  await page.getByRole('button', { name: 'Einzelne Bilder' }).click();
  await seeResult(page);
  assert.match(await page.locator('#slice-number').innerText(), /Bild 1 von 3/);
});
