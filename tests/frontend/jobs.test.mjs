// Uploads and jobs: what is sent, slices as they are delivered, deletion. The routes of jobs are mocked, with slices of the
// real server.

import assert from 'node:assert/strict';
import { headFile, headNifti, SIZE } from './head.mjs';
import { drawn, seeResult, slideTo } from './actions.mjs';
import { origin, pageTest } from './page-fixture.mjs';

const HTTP_ERROR_LINE = /status of 4\d\d/;

/** Mocks uploads and jobs on `page`; `seen.done` is the number of finished slices. */
async function mockJobs(page, { end = 'done' } = {}) {
  const answer = await (await fetch(`${origin()}/v1/segment?model=unet&include=mask,probabilities,samples,every_slice`, { method: 'POST', body: headNifti() })).json();
  const seen = { orders: [], uploads: [], deleted: [], done: 0, afters: [] };
  const bare = { ...answer, slices: answer.slices.map(({ mask, probabilities, samples, ...rest }) => rest) };
  await page.route('**/v1/models', async (route) => {
    const response = await route.fetch();
    const facts = await response.json();
    await route.fulfill({ response, json: { ...facts, limits: { ...facts.limits, max_upload_bytes: 512 * 2 ** 20 } } });
  });
  await page.route('**/v1/uploads', (route) => {
    seen.orders.push(route.request().postDataJSON());
    return route.fulfill({ status: 201, json: { job_id: 'j7', job_url: '/v1/jobs/j7', upload: { method: 'PUT', url: '/v1/uploads/j7', headers: { 'content-type': seen.orders[0].content_type, 'content-length': '1' } } } });
  });
  await page.route('**/v1/uploads/j7', (route) => {
    seen.uploads.push({ method: route.request().method(), type: route.request().headers()['content-type'], bytes: route.request().postDataBuffer().length });
    return route.fulfill({ status: 204 });
  });
  await page.route(/\/v1\/jobs\/j7(\?|$)/, (route) => {
    if (route.request().method() === 'DELETE') {
      seen.deleted.push(seen.done);
      return route.fulfill({ status: 204 });
    }
    const after = Number(new URL(route.request().url()).searchParams.get('after'));
    seen.afters.push(after);
    const finished = seen.done >= SIZE.slices;
    const slices = answer.slices.slice(0, seen.done).filter(({ index }) => index >= after).map(({ index }) => ({ index, url: `/v1/jobs/j7/slices/${index}` }));
    const failed = finished && end === 'failed';
    return route.fulfill({
      status: finished ? 200 : 202,
      headers: { 'retry-after': '1' },
      json: { id: 'j7', state: finished ? end : seen.done ? 'running' : 'queued', progress: { done: seen.done, total: SIZE.slices }, slices,
        result: null, result_url: finished && !failed ? '/v1/jobs/j7/result' : null, warnings: [],
        error: failed ? { code: 'unprocessable_image', title: 'Unprocessable Content', status: 422, detail: 'No head in it.' } : null },
    });
  });
  await page.route('**/v1/jobs/j7/slices/*', (route) => {
    const { placement, extent_mm: extent, ...part } = answer.slices[Number(route.request().url().split('/').pop())];
    return route.fulfill({ json: { ...part, placement, extent_mm: null, image: { width: SIZE.columns, height: SIZE.rows, spacing_mm: answer.series.spacing_mm, window: answer.series.window } } });
  });
  await page.route('**/v1/jobs/j7/result', (route) => route.fulfill({ json: bare }));
  await page.reload();
  await page.locator('.model').first().waitFor();
  await page.getByRole('radio', { name: 'U-Net' }).check();
  return { seen, answer };
}

pageTest('a series is uploaded, shown slice by slice, and deleted once the result is loaded', {}, async (page) => {
  const { seen, answer } = await mockJobs(page);
  await page.setInputFiles('#file', headFile());
  await page.locator('#busy').getByText(/0 of 6 slices/).waitFor();
  const [order] = seen.orders;
  assert.deepEqual([order.content_type, order.size_bytes, order.model, order.include], ['application/gzip', headNifti().length, 'unet', 'mask,probabilities,samples,every_slice']);
  assert.ok(!JSON.stringify(order).includes('head'), 'the name of the file is not sent');
  assert.deepEqual(seen.uploads, [{ method: 'PUT', type: 'application/gzip', bytes: headNifti().length }]);
  seen.done = 3;
  await page.locator('#busy').getByText(/3 of 6 slices/).waitFor();
  await page.locator('#findings').getByText(/the 3 slices so far/).waitFor();
  await slideTo(page, 'slice', 2);
  await drawn(page);
  assert.match(await page.locator('#slice-number').innerText(), /Slice 3 of 6/);
  assert.equal(await page.locator('#slice').getAttribute('aria-valuetext').then((text) => /waiting for the result/.test(text)), false);
  await slideTo(page, 'slice', 5);
  assert.match(await page.locator('#slice').getAttribute('aria-valuetext'), /waiting for the result/);
  seen.done = 6;
  await seeResult(page);
  assert.ok(seen.afters.at(-1) >= 3, 'only new slices are requested');
  const shown = Number((await page.locator('.totals dd').first().innerText()).replace(/[^\d.]/g, ''));
  assert.ok(Math.abs(shown - answer.volume.total_volume_ml) <= 0.06);
  assert.deepEqual(seen.deleted, [6]);
  assert.match(await page.locator('#slice-number').innerText(), /Slice 6 of 6/, 'the visitor’s own slice stays');
});

pageTest('a running job is deleted when it is cancelled', {}, async (page) => {
  const { seen } = await mockJobs(page);
  await page.setInputFiles('#file', headFile());
  seen.done = 2;
  await page.locator('#busy').getByText(/2 of 6 slices/).waitFor();
  await page.getByRole('button', { name: 'Cancel' }).click();
  await page.locator('#welcome').waitFor();
  await page.waitForTimeout(300);
  assert.equal(seen.deleted.length, 1);
});

pageTest('a failed job shows the reason that the server gives', { expected: HTTP_ERROR_LINE }, async (page) => {
  const { seen } = await mockJobs(page, { end: 'failed' });
  await page.setInputFiles('#file', headFile());
  seen.done = 6;
  const error = page.getByRole('alert');
  await error.waitFor();
  assert.match(await error.innerText(), /The image cannot be used[\s\S]*No head in it\.[\s\S]*common size/);
  // Slices delivered before the failure are discarded.
  assert.equal(await page.locator('#findings-body').innerText(), 'There is no result for this file.');
  assert.match(await page.locator('#slice').getAttribute('aria-valuetext'), /no answer$/);
  assert.match(await page.locator('#pane-a canvas').getAttribute('aria-label'), /, without overlay$/);
  assert.ok(await page.locator('#downloads').isHidden() && await page.locator('#busy').isHidden() && await page.locator('#three-d').isHidden());
});
