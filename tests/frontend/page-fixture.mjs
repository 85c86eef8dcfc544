// Defines tests that open the page in a real Chromium, against a real server, and fail on any error or foreign request.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launchBrowser } from './browser.mjs';
import { startIchor } from './ichor.mjs';

// Long, since a busy machine may be slow; performance.test.mjs has its own limits.
const WAIT_MS = 60_000;
// Reported when a network interface changes, as with a container beside the tests; the browser repeats the request.
const ELSEWHERE = /ERR_NETWORK_CHANGED/;
export const DESKTOP = { viewport: { width: 1440, height: 900 } };
export const PHONE = { viewport: { width: 360, height: 740 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true };

let browser;
let ichor;
before(async () => {
  ichor = await startIchor();
  browser = await launchBrowser();
});
after(async () => {
  await browser?.close();
  await ichor?.stop();
});

/** Origin of the server of this test file. */
export const origin = () => ichor.origin;

/**
 * Defines a test that opens the page and runs `body(page, context)`. It fails on any console error, uncaught error or
 * request to another origin, except console lines that match `expected`. `arrange(page)` runs before loading. `location` is
 * where the page analyses: 'server', as the mocked answers of most tests need, 'device' or 'automatic'.
 */
export function pageTest(name, { context: asked = DESKTOP, expected = /(?!)/, arrange, server, location = 'server' }, body) {
  test(name, { timeout: 4 * WAIT_MS }, async (context) => {
    const at = server ? await server() : ichor.origin;
    const session = await browser.newContext({ acceptDownloads: true, reducedMotion: 'reduce', locale: 'en', serviceWorkers: 'block', permissions: ['clipboard-read', 'clipboard-write'], ...asked });
    session.setDefaultTimeout(WAIT_MS);
    try {
      await session.addInitScript((chosen) => { localStorage['ichor.location'] ??= chosen; }, location);
      const page = await session.newPage();
      const faults = [];
      page.on('console', (line) => { if (line.type() === 'error' && !expected.test(line.text()) && !ELSEWHERE.test(line.text())) faults.push(line.text()); });
      page.on('pageerror', (error) => faults.push(String(error)));
      session.on('request', (request) => {
        if (!request.url().startsWith(at) && !request.url().startsWith('blob:')) faults.push(`request to ${request.url()}`);
      });
      await arrange?.(page);
      await page.goto(at, { waitUntil: 'load' });
      await body(page, context);
      assert.deepEqual(faults, []);
    } finally {
      await session.close();
    }
  });
}
