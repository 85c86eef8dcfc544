// Records docs/images/first-minute.webp: a series is dropped on the page, outlined, and measured in mL.
// `ICHOR_BIN=… npm run animation`. The head is drawn by formula; no patient is shown.

import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { dropFiles, seeResult } from './actions.mjs';
import { animatedWebp } from './animated-webp.mjs';
import { launchBrowser } from './browser.mjs';
import { ROOT, startIchor } from './ichor.mjs';

const OUTPUT = join(ROOT, 'docs', 'images', 'first-minute.webp');
const VIEW = { width: 960, height: 610 };
const QUALITY = 0.62;
const MAX_BYTES = 600_000;
const [SIDE, SLICES, STEP_MM, SLICE_MM] = [256, 20, 0.85, 6];

/** Smooth noise from 0 to 1: a sum of waves that never repeat within the head. */
const texture = (x, y, z) => 0.5 + (Math.sin(19 * x + 7 * z) * Math.cos(23 * y - 5 * z) + Math.sin(41 * x - 31 * y + 3 * z)) / 4;

/** Hounsfield units at a place from -0.5 to 0.5 along each axis: skull, brain, ventricles, and blood on the patient's left. */
function hounsfield(x, y, z, grain) {
  const inside = (cx, cy, cz, rx, ry, rz) => ((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2 + ((z - cz) / rz) ** 2 < 1;
  if (!inside(0, 0, -0.1, 0.4, 0.47, 0.72)) return -1000 + grain;
  if (!inside(0, 0, -0.1, 0.385, 0.455, 0.7)) return 30 + grain;
  if (!inside(0, 0, -0.1, 0.35, 0.42, 0.66)) return 1050 + 20 * grain;
  const edge = 0.012 * Math.sin(31 * x + 17 * z) + 0.012 * Math.cos(37 * y - 11 * z);
  if (inside(0.17 + edge, 0.03 + edge, 0, 0.075, 0.115, 0.26)) return 66 + grain;
  const ventricle = Math.abs(x) < 0.09 && [-1, 1].some((side) => inside(side * (0.035 + 0.05 * Math.abs(y)), -0.03, 0.02, 0.024, 0.16, 0.2));
  if (ventricle) return 6 + grain;
  if (Math.abs(x) < 0.006 && Math.abs(y) > 0.16) return 44 + grain; // falx
  const depth = Math.hypot(x / 0.35, y / 0.42, (z + 0.1) / 0.66);
  return (depth > 0.88 ? 38 : 30) + 5 * texture(x, y, z) + grain;
}

/** The head as a gzipped NIfTI file, axes to the right, the front and the head. */
function headFile() {
  const header = Buffer.alloc(352);
  header.writeInt32LE(348, 0);
  [3, SIDE, SIDE, SLICES, 1, 1, 1, 1].forEach((size, at) => header.writeInt16LE(size, 40 + 2 * at));
  header.writeInt16LE(4, 70);
  header.writeInt16LE(16, 72);
  [1, STEP_MM, STEP_MM, SLICE_MM].forEach((size, at) => header.writeFloatLE(size, 76 + 4 * at));
  header.writeFloatLE(352, 108);
  header.writeFloatLE(1, 112);
  header[123] = 2;
  header.writeInt16LE(1, 254);
  [-STEP_MM, -STEP_MM, SLICE_MM].forEach((step, axis) => {
    header.writeFloatLE(step, 280 + 20 * axis);
    header.writeFloatLE(-step * ((axis === 2 ? SLICES : SIDE) / 2), 292 + 16 * axis);
  });
  header.write('n+1\0', 344, 'latin1');
  const voxels = Buffer.alloc(2 * SIDE * SIDE * SLICES);
  let [offset, seed] = [0, 1];
  for (let k = 0; k < SLICES; k += 1) {
    for (let j = 0; j < SIDE; j += 1) {
      for (let i = 0; i < SIDE; i += 1) {
        seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
        const grain = ((seed >>> 24) % 9) - 4;
        offset = voxels.writeInt16LE(Math.round(hounsfield(i / SIDE - 0.5, j / SIDE - 0.5, k / (SLICES - 1) - 0.5, grain)), offset);
      }
    }
  }
  return { name: 'head-ct.nii.gz', mimeType: 'application/gzip', buffer: gzipSync(Buffer.concat([header, voxels])) };
}

/** A pointer that carries a file, drawn over the page by the recording only. */
const movePointer = (page, x, y, file) => page.evaluate(([left, top, name]) => {
  let pointer = document.getElementById('recorded-pointer');
  if (!pointer) {
    pointer = Object.assign(document.createElement('div'), { id: 'recorded-pointer' });
    pointer.style.cssText = 'position:fixed;z-index:9;pointer-events:none;display:flex;align-items:start;gap:4px;font:600 13px system-ui,sans-serif';
    pointer.append(document.createElement('span'), document.createElement('span'));
    pointer.firstChild.style.cssText = 'width:16px;height:22px;background:#fff;clip-path:polygon(0 0,0 78%,22% 60%,40% 100%,58% 92%,40% 54%,72% 54%);filter:drop-shadow(0 0 2px #000)';
    pointer.lastChild.style.cssText = 'margin-top:14px;padding:3px 9px;border-radius:6px;background:#fff;color:#14202a;box-shadow:0 2px 8px #0008';
    document.body.append(pointer);
  }
  pointer.style.left = `${left}px`;
  pointer.style.top = `${top}px`;
  pointer.lastChild.textContent = name;
  pointer.lastChild.hidden = !name;
}, [x, y, file]);

async function record(page) {
  const frames = [];
  const capture = async (ms) => { frames.push({ png: await page.screenshot({ scale: 'css' }), ms }); };
  const file = headFile();

  await movePointer(page, 760, 640, file.name);
  await capture(1400);
  for (const [x, y] of [[690, 560], [600, 470], [500, 390], [430, 340]]) {
    await movePointer(page, x, y, file.name);
    if (y === 560) await page.evaluate(() => { const data = new DataTransfer(); data.items.add(new File(['x'], 'x')); document.body.dispatchEvent(new DragEvent('dragenter', { dataTransfer: data, bubbles: true })); });
    await capture(y === 340 ? 700 : 130);
  }
  await dropFiles(page, file);
  await movePointer(page, 430, 340, '');
  const result = seeResult(page).then(() => true);
  for (let waiting = true; waiting;) {
    const before = await page.locator('#slice-number').textContent();
    await capture(240);
    waiting = !(await Promise.race([result, page.waitForFunction((text) => document.getElementById('slice-number').textContent !== text, before, { timeout: 300 }).then(() => false, () => false)]));
  }
  await page.mouse.move(0, 0);
  await movePointer(page, -40, -40, '');
  await capture(2600);
  await page.locator('#viewport').focus();
  for (const key of ['ArrowUp', 'ArrowUp', 'ArrowUp', 'ArrowDown', 'ArrowDown', 'ArrowDown', 'ArrowDown', 'ArrowDown']) {
    await page.keyboard.press(key);
    await page.evaluate(() => document.activeElement.style.setProperty('outline', 'none'));
    await page.waitForTimeout(80);
    await capture(260);
  }
  await capture(2200);
  return frames;
}

const ichor = await startIchor();
const browser = await launchBrowser();
try {
  const context = await browser.newContext({ viewport: VIEW, colorScheme: 'light', reducedMotion: 'reduce', locale: 'en', serviceWorkers: 'block' });
  const page = await context.newPage();
  await page.goto(ichor.origin, { waitUntil: 'networkidle' });
  await page.locator('.model').first().waitFor();
  const frames = await record(page);
  const bytes = await animatedWebp(await browser.newPage(), frames, QUALITY);
  if (bytes.length > MAX_BYTES) throw new Error(`${bytes.length} bytes; the limit is ${MAX_BYTES}`);
  await mkdir(dirname(OUTPUT), { recursive: true });
  await writeFile(OUTPUT, bytes);
  console.log(`${OUTPUT}: ${frames.length} frames, ${bytes.length} bytes`);
} finally {
  await browser.close();
  await ichor.stop();
}
