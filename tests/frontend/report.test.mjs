// The printed report in a real Chromium: one page of A4, accessible, and nothing in it runs or is loaded.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { launchBrowser } from './browser.mjs';
import { headFile } from './head.mjs';
import { BINARY, ROOT } from './ichor.mjs';

const AXE = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const SNAPSHOTS = join(ROOT, 'tests', 'snapshots');

let browser;
let folder;
before(async () => {
  browser = await launchBrowser();
  folder = await mkdtemp(join(tmpdir(), 'ichor-report-'));
});
after(async () => {
  await browser?.close();
  if (folder) await rm(folder, { recursive: true });
});

/** Opens a report and calls `body(page)`; fails where it requests anything, or reports an error. */
async function withReport(path, body) {
  const page = await browser.newPage();
  const faults = [];
  page.on('console', (line) => { if (line.type() === 'error') faults.push(line.text()); });
  page.on('request', (request) => { if (!/^(file|data):/.test(request.url()) || /\.(js|css)$/.test(request.url())) faults.push(request.url()); });
  try {
    await page.goto(pathToFileURL(path).href);
    await body(page);
    assert.deepEqual(faults, []);
  } finally {
    await page.close();
  }
}

/** Pages of the report when it is printed, with the paper that the report asks for. */
async function printedPages(page) {
  const file = await page.pdf({ preferCSSPageSize: true, printBackground: true });
  const sizes = [...file.toString('latin1').matchAll(/\/MediaBox \[([^\]]+)\]/g)].map(([, box]) => box.trim().split(/\s+/).map((point) => Math.round(Number(point))));
  return { file, sizes };
}

/** @param {string} path @param {string} title */
async function assertPrintsOnOnePage(path, title) {
  await withReport(path, async (page) => {
    assert.match(await page.title(), new RegExp(title));
    const { sizes } = await printedPages(page);
    assert.equal(sizes.length, 1, `${sizes.length} pages`);
    assert.ok(Math.abs(sizes[0][2] - 595) <= 1 && Math.abs(sizes[0][3] - 842) <= 1, `A4 in points, not ${sizes[0]}`);
    // Nothing is wider than the paper.
    await page.emulateMedia({ media: 'print' });
    await page.setViewportSize({ width: 703, height: 1000 }); // 186 mm at 96 px per inch
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth));
  });
}

for (const [name, title] of [['report.html', 'Report of Ichor'], ['report_full.html', 'Bericht von Ichor']]) {
  test(`${name} prints on one page of A4`, () => assertPrintsOnOnePage(join(SNAPSHOTS, name), title));

  test(`axe reports no violation in ${name}`, () => withReport(join(SNAPSHOTS, name), async (page) => {
    await page.evaluate(AXE);
    const found = await page.evaluate(() => globalThis.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }));
    assert.deepEqual(found.violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 200)).join(' ')}`), []);
    assert.ok(found.passes.length > 10, 'axe tested the page');
  }));
}

test('a hostile text of the input stays a text', () => withReport(join(SNAPSHOTS, 'report.html'), async (page) => {
  assert.match(await page.locator('ul[lang="en"] li').first().textContent(), /<script>document\.title='broken'<\/script><img src=x/);
  assert.match(await page.title(), /^Report of Ichor/);
  assert.deepEqual([await page.locator('script').count(), await page.locator('img').count()], [0, 3]);
}));

test('the program writes the report of a series, which prints on one page', async () => {
  const { name, buffer } = headFile();
  const input = join(folder, name);
  await writeFile(input, buffer);
  const flags = ['segment', input, '--output', folder, '--format', 'report,text'];
  await promisify(execFile)(BINARY, flags, { cwd: ROOT });
  const stem = name.replace(/\.nii(\.gz)?$/, '');
  const path = join(folder, `${stem}_report.html`);
  await assertPrintsOnOnePage(path, 'Report of Ichor');
  await withReport(path, async (page) => {
    const shown = await page.locator('img').evaluateAll((images) => images.map((image) => [image.naturalWidth, image.naturalHeight, Number(image.getAttribute('width')), Number(image.getAttribute('height'))]));
    assert.ok(shown.length >= 1 && shown.length <= 3);
    for (const [width, height, statedWidth, statedHeight] of shown) assert.deepEqual([width, height], [statedWidth, statedHeight]);
    const paragraph = await readFile(join(folder, `${stem}_report.txt`), 'utf8');
    const headline = await page.locator('.finding').textContent();
    assert.ok(paragraph.startsWith(headline), `${paragraph} ${headline}`);
    assert.doesNotMatch(await page.locator('main').textContent(), new RegExp(stem));
  });
});
