// What is drawn, where, and how the visitor changes it.

import assert from 'node:assert/strict';
import { sampleWithFinding } from './slices.mjs';
import { canvasPixels, openSample, slideTo } from './steps.mjs';
import { origin, visit } from './visit.mjs';

const channels = (color) => [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16));

/** Count and centre, in image pixels, of what is painted in exactly the class colour. */
function painted({ width, height, data }, color, image) {
  const scale = Math.min(width / image.width, height / image.height);
  const [left, top] = [(width - image.width * scale) / 2, (height - image.height * scale) / 2];
  let [count, x, y] = [0, 0, 0];
  for (let at = 0; at < data.length; at += 4) {
    if (channels(color).some((value, channel) => Math.abs(data[at + channel] - value) > 4)) continue;
    count += 1;
    x += (at / 4) % width;
    y += Math.floor(at / 4 / width);
  }
  return { area: count / scale ** 2, x: (x / count + 0.5 - left) / scale, y: (y / count + 0.5 - top) / scale };
}

visit('the fill is the mask: its area, its place, the API’s colour', {}, async (page) => {
  const { sample, report } = await sampleWithFinding(origin());
  const facts = await (await fetch(`${origin()}/v1/models`)).json();
  const { color } = facts.models.find(({ name }) => name === facts.default).classes[0];
  await openSample(page, sample);
  await page.getByLabel('Outline', { exact: true }).uncheck();
  await slideTo(page, 'opacity', 100);
  const area = report.lesions.reduce((sum, lesion) => sum + lesion.area_px, 0);
  const centre = (axis) => report.lesions.reduce((sum, lesion) => sum + lesion.centroid[axis] * lesion.area_px, 0) / area;
  const drawn = painted(await canvasPixels(page, 'overlay'), color, report.image);
  // A mask pixel takes one or two pixels of the canvas each way; over an area that evens out.
  assert.ok(Math.abs(drawn.area - area) < 0.03 * area + Math.sqrt(area), `${drawn.area} px drawn for ${area}`);
  assert.ok(Math.hypot(drawn.x - centre('x'), drawn.y - centre('y')) < 1.5, `drawn at ${drawn.x}, ${drawn.y}; expected ${centre('x')}, ${centre('y')}`);
});

visit('the slider changes the fill; without fill and outline the overlay is the original', {}, async (page) => {
  const { sample } = await sampleWithFinding(origin());
  await openSample(page, sample);
  await page.getByRole('radio', { name: 'Side by side' }).check();
  const original = await canvasPixels(page, 'original');
  const pictures = [];
  for (const percent of [0, 50, 100]) {
    await slideTo(page, 'opacity', percent);
    assert.equal(await page.locator('#opacity-value').innerText(), `${percent} %`);
    pictures.push(await canvasPixels(page, 'overlay'));
  }
  assert.ok(!pictures[0].data.equals(pictures[1].data) && !pictures[1].data.equals(pictures[2].data));
  assert.ok(!pictures[0].data.equals(original.data), 'the outline is drawn without fill');
  await slideTo(page, 'opacity', 0);
  await page.getByLabel('Outline', { exact: true }).uncheck();
  const bare = await canvasPixels(page, 'overlay');
  assert.deepEqual([bare.width, bare.height], [original.width, original.height]);
  assert.ok(bare.data.equals(original.data));
});

visit('overlay, original, or both', {}, async (page) => {
  const { sample, report } = await sampleWithFinding(origin());
  await openSample(page, sample);
  const panes = { original: page.getByRole('img', { name: /^Original slice/ }), overlay: page.getByRole('img', { name: /outlined area/ }) };
  const seen = async () => [await panes.original.isVisible(), await panes.overlay.isVisible()];
  assert.deepEqual(await seen(), [false, true]);
  await page.getByRole('radio', { name: 'Side by side' }).check();
  assert.deepEqual(await seen(), [true, true]);
  await page.getByRole('radio', { name: 'Original' }).check();
  assert.deepEqual(await seen(), [true, false]);
  await page.getByRole('radio', { name: 'Overlay' }).check();
  const count = report.lesions.length;
  assert.match(await panes.overlay.getAttribute('aria-label'), new RegExp(`${count} outlined areas?$`));
});

visit('choosing an area in the list highlights it on the slice, and again lets it go', {}, async (page) => {
  const { sample } = await sampleWithFinding(origin());
  await openSample(page, sample);
  const plain = await canvasPixels(page, 'overlay');
  const row = page.locator('.lesion').first();
  await row.click();
  assert.equal(await row.getAttribute('aria-pressed'), 'true');
  assert.ok(!(await canvasPixels(page, 'overlay')).data.equals(plain.data));
  await row.click();
  assert.equal(await row.getAttribute('aria-pressed'), 'false');
  assert.ok((await canvasPixels(page, 'overlay')).data.equals(plain.data));
});

visit('the picture follows the size of the window', {}, async (page) => {
  const { sample } = await sampleWithFinding(origin());
  await openSample(page, sample);
  const wide = await canvasPixels(page, 'overlay');
  await page.setViewportSize({ width: 1000, height: 800 });
  await page.waitForFunction((before) => document.querySelector('.pane.overlay canvas').width !== before, wide.width);
  const narrow = await canvasPixels(page, 'overlay');
  assert.ok(narrow.data.some((value) => value > 200), 'the slice is drawn at the new size');
});
