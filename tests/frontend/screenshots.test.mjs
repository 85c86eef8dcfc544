// Compares screenshots of whole views with the committed ones. `UPDATE_SCREENSHOTS=1 npm test` replaces them; check them.

import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { headFile } from './head.mjs';
import { ROOT } from './ichor.mjs';
import { decodePng, unlike } from './pixels.mjs';
import { samples } from './samples.mjs';
import { drawn, openSample, seeResult } from './actions.mjs';
import { PHONE, pageTest } from './page-fixture.mjs';

const SCREENSHOTS = join(ROOT, 'tests', 'frontend', 'screenshots');
// Fonts and their smoothing differ between machines, so letters may differ; a widget that moves or an image that changes
// fails.
const LEVELS = 48;
const SHARE = 0.04;
const DESK = { viewport: { width: 1280, height: 800 } };
const bleed = samples.find(({ file }) => file.startsWith('090'));

const openHead = async (page) => {
  await page.getByRole('radio', { name: 'U-Net' }).check();
  await page.setInputFiles('#file', headFile());
  await seeResult(page);
};

for (const [name, context, act] of [
  ['empty-light', { ...DESK, colorScheme: 'light' }, null],
  ['sample-light', { ...DESK, colorScheme: 'light' }, (page) => openSample(page, bleed)],
  ['series-dark', { ...DESK, colorScheme: 'dark' }, openHead],
  ['phone-empty-dark', { ...PHONE, colorScheme: 'dark' }, null],
  ['phone-sample-light', { ...PHONE, colorScheme: 'light' }, (page) => openSample(page, bleed)],
]) {
  pageTest(`the page looks as before: ${name}`, { context }, async (page) => {
    await page.locator('.model').first().waitFor();
    await page.waitForLoadState('networkidle');
    await act?.(page);
    await page.evaluate(() => {
      for (const details of document.querySelectorAll('details')) details.open = false; // times differ between runs
      document.activeElement.blur();
      window.scrollTo(0, 0);
    });
    await page.mouse.move(0, 0);
    await drawn(page);
    const shot = await page.screenshot({ scale: 'css' });
    const file = join(SCREENSHOTS, `${name}.png`);
    if (process.env.UPDATE_SCREENSHOTS) {
      await mkdir(SCREENSHOTS, { recursive: true });
      return writeFile(file, shot);
    }
    const share = unlike(decodePng(shot), decodePng(await readFile(file)), LEVELS);
    return assert.ok(share <= SHARE, `${(100 * share).toFixed(2)} % of the pixels differ from ${file}`);
  });
}
