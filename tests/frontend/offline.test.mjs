// Offline use, the content security policy, and the 3D view.

import assert from 'node:assert/strict';
import { headFile } from './head.mjs';
import { samples } from './samples.mjs';
import { seeResult } from './actions.mjs';
import { DESKTOP, origin, pageTest } from './page-fixture.mjs';

const NO_NETWORK = /ERR_INTERNET_DISCONNECTED|ERR_FAILED|Failed to load/;

pageTest('after the first visit the page opens without a network; answers of the API are never stored', {
  context: { ...DESKTOP, serviceWorkers: 'allow' }, expected: NO_NETWORK,
}, async (page) => {
  await page.locator('.model').first().waitFor();
  await page.evaluate(() => navigator.serviceWorker.ready);
  await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
  await page.context().setOffline(true);
  await page.reload();
  await page.getByText('Research and teaching only.').waitFor();
  await page.getByRole('button', { name: `${samples[0].label}, ${samples[0].detail}` }).waitFor();
  await page.getByRole('alert').getByText('The server does not respond').waitFor();
  await page.getByRole('button', { name: 'About' }).click(); // a module that the first view did not need
  await page.getByRole('dialog').getByText('Offline').waitFor();
  const kept = await page.evaluate(async () => {
    const names = await caches.keys();
    const all = await Promise.all(names.map(async (name) => (await (await caches.open(name)).keys()).map(({ url }) => url)));
    return all.flat();
  });
  assert.ok(kept.length > 50 && !kept.some((url) => url.includes('/v1/')), 'no answer of the API is stored');
  await page.context().setOffline(false);
});

pageTest('the policy of the server is enforced, and is at least as strict as the page’s', { expected: /Content Security Policy|violates/ }, async (page) => {
  const header = (await fetch(origin())).headers.get('content-security-policy');
  const directives = (text) => Object.fromEntries(text.split(';').map((part) => part.trim().split(/\s+/)).map(([name, ...sources]) => [name, sources]));
  const [strict, tag] = [directives(header), directives(await page.locator('meta[http-equiv="Content-Security-Policy"]').getAttribute('content'))];
  for (const [name, sources] of Object.entries(strict)) {
    if (tag[name]) for (const source of sources) assert.ok(tag[name].includes(source), `${name} ${source} is not in the tag`);
  }
  assert.deepEqual([strict['default-src'], strict['script-src'], strict['connect-src']], [["'none'"], ["'self'", "'wasm-unsafe-eval'"], ["'self'"]]);
  const ran = await page.evaluate(() => new Promise((done) => {
    document.addEventListener('securitypolicyviolation', () => done('blocked'), { once: true });
    const script = document.createElement('script');
    script.textContent = 'window.intruder = true';
    document.head.append(script);
    setTimeout(() => done(window.intruder ? 'ran' : 'silent'), 2000);
  }));
  assert.equal(ran, 'blocked');
});

pageTest('the 3D view is loaded on demand, and shows the patient’s right on the left', {
  arrange: (page) => { page.asked = []; page.on('request', (request) => page.asked.push(request.url())); },
}, async (page) => {
  await page.getByRole('radio', { name: 'U-Net' }).check();
  await page.setInputFiles('#file', headFile());
  await seeResult(page);
  assert.ok(!page.asked.some((url) => url.includes('niivue')));
  await page.getByRole('button', { name: '3D' }).click();
  await page.locator('dialog.volume[data-ready="true"]').waitFor();
  assert.ok(page.asked.some((url) => url.includes('niivue')));
  await page.getByLabel('View', { exact: true }).selectOption('axial');
  await page.waitForTimeout(500);
  // The blood is on the patient's left, so its colour is right of the middle.
  const { decodePng, coloured } = await import('./pixels.mjs');
  const { width, xs } = coloured(decodePng(await page.locator('dialog.volume canvas').screenshot()), [225, 178, 80], 40);
  assert.ok(xs.length > 500, `${xs.length} coloured pixels`);
  const middle = xs.reduce((sum, x) => sum + x, 0) / xs.length;
  assert.ok(middle > 0.52 * width, `at ${middle} of ${width}`);
  await page.getByRole('button', { name: 'Close' }).click();
  assert.ok(await page.getByRole('button', { name: '3D' }).isVisible());
});
