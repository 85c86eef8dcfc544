// A test that is a pageTest to the page: real Chromium, real server, and a watch on what must never happen.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { chromium } from 'playwright-core';
import { startIchor } from './ichor.mjs';

const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
// Long, as a busy machine may be slow; the bars have their own limits.
const WAIT_MS = 60_000;
const FLAGS = ['--no-sandbox', '--disable-gpu', '--enable-unsafe-swiftshader', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync'];
// Said when an interface of the machine comes or goes, as with a container beside the tests; the browser asks again.
const ELSEWHERE = /ERR_NETWORK_CHANGED/;
export const DESKTOP = { viewport: { width: 1440, height: 900 } };
export const PHONE = { viewport: { width: 360, height: 740 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true };

let browser;
let ichor;
before(async () => {
  ichor = await startIchor();
  browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
});
after(async () => {
  await browser?.close();
  await ichor?.stop();
});

/** The origin of this file's server. */
export const origin = () => ichor.origin;

/**
 * Defines a test that opens the page and runs `body(page, context)`. It fails on any console error, uncaught error or
 * request to another origin, except console lines that match `expected`. `arrange(page)` runs before loading.
 */
export function pageTest(name, { context: asked = DESKTOP, expected = /(?!)/, arrange, server }, body) {
  test(name, { timeout: 4 * WAIT_MS }, async (context) => {
    const at = server ? await server() : ichor.origin;
    const session = await browser.newContext({ acceptDownloads: true, reducedMotion: 'reduce', locale: 'en', serviceWorkers: 'block', permissions: ['clipboard-read', 'clipboard-write'], ...asked });
    session.setDefaultTimeout(WAIT_MS);
    try {
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
