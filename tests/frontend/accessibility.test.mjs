// Accessibility: keyboard, screen readers, phones, languages, light and dark.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { changed, clear, incomplete, unreadable } from './responses.mjs';
import { samples, sampleWithFinding } from './samples.mjs';
import { headFile } from './head.mjs';
import { openSample, seeResult } from './actions.mjs';
import { DESKTOP, origin, PHONE, pageTest } from './page-fixture.mjs';

const AXE = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const HTTP_ERROR_LINE = /status of 4\d\d/;

async function assertAccessible(page, state) {
  await page.evaluate(() => window.scrollTo(0, 0)); // a control that is half under the sticky header counts as too small
  await page.evaluate(AXE); // through the debugger, since the policy of the page forbids foreign scripts
  const found = await page.evaluate(() => globalThis.axe.run(document, {
    runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
  }));
  const violations = found.violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
  assert.deepEqual(violations, [], state);
  assert.ok(found.passes.length > 20, 'axe tested the page');
}

pageTest('each sample has a name of its own', {}, async (page) => {
  await page.locator('.sample').first().waitFor();
  const names = await page.locator('.sample').evaluateAll((buttons) => buttons.map((button) => button.getAttribute('aria-label')));
  assert.deepEqual([names.length, new Set(names).size], [samples.length, samples.length]);
});

for (const [name, context] of [
  ['light', { ...DESKTOP, colorScheme: 'light' }], ['dark', { ...DESKTOP, colorScheme: 'dark' }], ['phone', PHONE],
]) {
  pageTest(`axe reports no violation in any state, ${name}`, { context, expected: HTTP_ERROR_LINE }, async (page) => {
    await page.locator('.model').first().waitFor();
    await assertAccessible(page, 'at first');
    const { sample } = await sampleWithFinding(origin());
    await openSample(page, sample);
    await assertAccessible(page, 'with a finding');
    if (await page.getByRole('button', { name: 'Tools' }).isVisible()) await page.getByRole('button', { name: 'Tools' }).click();
    await page.locator('#compare').selectOption('plain');
    await page.getByLabel('Heat map').check();
    await page.locator('.lesion').first().click();
    await assertAccessible(page, 'side by side, heat map, an area chosen');
    await page.getByRole('radio', { name: 'Swipe' }).check();
    await assertAccessible(page, 'under a divider');
    await page.getByRole('button', { name: 'About' }).click();
    await assertAccessible(page, 'the about dialog');
    await page.getByRole('button', { name: 'Close' }).click();
    await page.keyboard.press('?');
    await page.getByRole('dialog').waitFor();
    await assertAccessible(page, 'the list of shortcuts');
    await page.keyboard.press('Escape');
    await page.setInputFiles('#file', headFile());
    await page.locator('#strip').waitFor();
    await seeResult(page);
    await assertAccessible(page, 'a series');
    await page.locator('#compare').selectOption('');
    for (const [state, answer, detected] of [['with no finding', clear, false], ['unreadable', unreadable, null], ['incomplete', incomplete, null]]) {
      await page.unroute('**/v1/segment*');
      await changed(page, answer);
      await openSample(page, sample);
      await page.locator(`.headline[data-detected="${detected}"]`).waitFor();
      await assertAccessible(page, state);
    }
    await page.unroute('**/v1/segment*');
    let release;
    await page.route('**/v1/segment*', async (route) => { await new Promise((resolve) => { release = resolve; }); await route.continue(); });
    await page.locator('#threshold-range').fill('0.33');
    await assertAccessible(page, 'with another threshold');
    await page.setInputFiles('#file', { name: 'x.txt', mimeType: 'text/plain', buffer: Buffer.from('x') });
    await page.locator('#caption').getByText('x.txt').waitFor();
    await page.locator('#busy').getByText('is analysing').waitFor();
    await assertAccessible(page, 'while waiting');
    release();
    await page.getByRole('alert').waitFor();
    await assertAccessible(page, 'with an error');
  });
}

pageTest('every control can be reached and used by keyboard, with a visible focus', {}, async (page) => {
  const { sample } = await sampleWithFinding(origin());
  await page.locator('.model').first().waitFor();
  const focused = () => page.evaluate(() => {
    const node = document.activeElement;
    const ring = [node, node.closest('label')].some((one) => one && getComputedStyle(one).outlineStyle !== 'none'
      && parseFloat(getComputedStyle(one).outlineWidth) >= 2);
    return { is: node.id || node.getAttribute('aria-label') || node.name || node.className || node.tagName, ring };
  });
  const tabTo = async (wanted) => {
    for (let step = 0; step < 120; step += 1) {
      await page.keyboard.press('Tab');
      const { is, ring } = await focused();
      assert.ok(ring || is === 'BODY', `focus on ${is} is not visible`);
      if (is === wanted) return;
    }
    assert.fail(`the keyboard never reaches ${wanted}`);
  };
  await tabTo('skip');
  await tabTo('about-open');
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').waitFor();
  await page.keyboard.press('Escape');
  await tabTo('file');
  await tabTo(`${sample.label}, ${sample.detail}`);
  await page.keyboard.press('Enter');
  await seeResult(page);
  await tabTo('overlay-mode');
  await page.keyboard.press('ArrowRight');
  assert.ok(await page.getByRole('radio', { name: 'Outline', exact: true }).isChecked());
  await tabTo('opacity');
  await page.keyboard.press('End');
  assert.match(await page.locator('#opacity-value').innerText(), /^100/);
  await tabTo('heat');
  await page.keyboard.press('Space');
  assert.ok(await page.locator('#heat').isChecked());
  await tabTo('zoom-in');
  await page.keyboard.press('Enter');
  await tabTo('viewport');
  await page.keyboard.press('0');
  assert.ok(await page.locator('#pan-buttons').isHidden());
  await tabTo('lesion');
  await page.keyboard.press('Space');
  assert.equal(await page.locator('.lesion').first().getAttribute('aria-pressed'), 'true');
  await tabTo('threshold-range');
  await page.keyboard.press('ArrowLeft');
  await page.locator('.details dd', { hasText: 'changed' }).waitFor();
  await page.keyboard.press(']');
  await tabTo('save-mask');
  const saving = page.waitForEvent('download');
  await page.keyboard.press('Enter');
  await saving;
});

pageTest('single-key shortcuts can be disabled permanently', {}, async (page) => {
  const { sample } = await sampleWithFinding(origin());
  await openSample(page, sample);
  await page.keyboard.press('h');
  assert.ok(await page.locator('#heat').isChecked());
  await page.keyboard.press('?');
  await page.getByLabel('Single-key shortcuts').uncheck();
  await page.keyboard.press('Escape');
  await page.reload();
  await page.locator('.model').first().waitFor();
  await openSample(page, sample);
  await page.keyboard.press('h');
  assert.ok(!await page.locator('#heat').isChecked());
});

pageTest('the page is completely German, and stays German after a reload', {}, async (page) => {
  const { sample } = await sampleWithFinding(origin());
  await openSample(page, sample);
  await page.getByLabel('Language').selectOption('de');
  await page.getByText('Blutung umrandet').first().waitFor();
  await page.getByText('Nur für Forschung und Lehre.').waitFor();
  assert.equal(await page.evaluate(() => document.documentElement.lang), 'de');
  // The disclaimer is a text of the server.
  const lines = (await page.locator('body').innerText()).split('\n').filter((line) => /\b(the|slice|outlined|threshold|window)\b/i.test(line));
  assert.deepEqual(lines, []);
  await page.reload();
  await page.getByRole('heading', { name: 'Oder ein Beispiel' }).waitFor();
});

pageTest('the chosen appearance overrides the system’s, from the first paint on', { context: { ...DESKTOP, colorScheme: 'light' } }, async (page) => {
  const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await background();
  await page.getByLabel('Appearance').selectOption('dark');
  const dark = await background();
  assert.notEqual(dark, light);
  await page.reload();
  assert.equal(await background(), dark);
});

pageTest('on a phone of 360 px nothing overflows, and touch targets are large enough', { context: PHONE }, async (page) => {
  const { sample } = await sampleWithFinding(origin());
  await openSample(page, sample);
  await page.getByRole('button', { name: 'Tools' }).click();
  const caution = page.locator('#caution');
  for (const where of [0, 1e6]) {
    await page.evaluate((y) => window.scrollTo(0, y), where);
    await page.waitForTimeout(100);
    const box = await caution.boundingBox();
    assert.ok(box.y >= 0 && box.y + box.height <= 740, 'the caution stays in view');
  }
  const { overflow, small } = await page.evaluate(() => ({
    overflow: document.documentElement.scrollWidth - window.innerWidth,
    small: [...document.querySelectorAll('button, main a, summary, select, label:has(input), input[type="range"]')]
      .filter((node) => node.checkVisibility())
      .map((node) => ({ is: node.id || node.textContent, box: node.getBoundingClientRect() }))
      .filter(({ box }) => box.width < 24 || box.height < 24)
      .map(({ is, box }) => `${is} ${box.width} x ${box.height}`),
  }));
  assert.ok(overflow <= 0, `${overflow} px to the right of the screen`);
  assert.deepEqual(small, []);
});

pageTest('on a phone the page scrolls to the opened slice', { context: PHONE }, async (page) => {
  await openSample(page, samples[1]);
  const box = await page.locator('#viewport').boundingBox();
  assert.ok(box.y >= -1 && box.y + box.height <= 741, `the stage lies at ${box.y} to ${box.y + box.height}`);
});
