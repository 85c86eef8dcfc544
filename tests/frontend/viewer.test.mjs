// The viewer: what is drawn, where, and how controls change it.

import assert from 'node:assert/strict';
import { sampleWithFinding } from './samples.mjs';
import { canvasPixels, drawn, openSample, painted, save, slideTo } from './actions.mjs';
import { origin, pageTest } from './page-fixture.mjs';

const facts = async () => (await fetch(`${origin()}/v1/models`)).json();
const mainColor = async () => { const { models, default: name } = await facts(); return models.find((model) => model.name === name).classes[0].color; };
const image = (pixels, { width, height }) => Math.min(pixels.width / width, pixels.height / height);

pageTest('the fill has the area, place and colour of the mask', {}, async (page) => {
  const { sample, report } = await sampleWithFinding(origin());
  await openSample(page, sample);
  await page.getByRole('radio', { name: 'Fill', exact: true }).check();
  await slideTo(page, 'opacity', 100);
  const area = report.lesions.reduce((sum, lesion) => sum + lesion.area_px, 0);
  const pixels = await canvasPixels(page, 'a');
  const scale = image(pixels, report.image);
  const color = await mainColor();
  // A mask pixel covers one or two canvas pixels in each direction, which averages out over an area.
  const { count } = painted(pixels, color);
  assert.ok(Math.abs(count / scale ** 2 - area) < 0.03 * area + Math.sqrt(area), `${count / scale ** 2} px drawn for ${area}`);
  const [left, top] = [(pixels.width - report.image.width * scale) / 2, (pixels.height - report.image.height * scale) / 2];
  for (const { bbox, centroid } of report.lesions.slice(0, 2)) {
    const box = { x: left + (bbox.x - 1) * scale, y: top + (bbox.y - 1) * scale, width: (bbox.width + 2) * scale, height: (bbox.height + 2) * scale };
    const found = painted(pixels, color, 4, box);
    const at = { x: (found.x * pixels.width - left) / scale - 0.5, y: (found.y * pixels.height - top) / scale - 0.5 };
    assert.ok(Math.hypot(at.x - centroid.x, at.y - centroid.y) < 1, `drawn at ${at.x}, ${at.y}; expected ${centroid.x}, ${centroid.y}`);
  }
});

pageTest('outline, fill, both or off; off shows the plain slice', {}, async (page) => {
  const { sample } = await sampleWithFinding(origin());
  await openSample(page, sample);
  await page.locator('#compare').selectOption('plain');
  const bare = await canvasPixels(page, 'a');
  const pictures = {};
  for (const mode of ['Outline + fill', 'Outline', 'Fill', 'Off']) {
    await page.getByRole('radio', { name: mode, exact: true }).check();
    pictures[mode] = await canvasPixels(page, 'b');
  }
  const all = Object.values(pictures);
  assert.ok(all.every((one, at) => all.slice(at + 1).every((other) => !one.data.equals(other.data))), 'all four differ');
  assert.deepEqual([bare.width, bare.height], [pictures.Off.width, pictures.Off.height]);
  assert.ok(pictures.Off.data.equals(bare.data));
  await page.getByRole('radio', { name: 'Fill', exact: true }).check();
  await slideTo(page, 'opacity', 0);
  assert.ok((await canvasPixels(page, 'b')).data.equals(bare.data));
});

pageTest('the heat map shows where the model is unsure, with its scale', {}, async (page) => {
  const { sample } = await sampleWithFinding(origin());
  await openSample(page, sample);
  await page.getByRole('radio', { name: 'Off' }).check();
  const without = await canvasPixels(page, 'a');
  await page.getByLabel('Heat map').check();
  assert.ok(await page.locator('#heat-legend').isVisible());
  assert.ok(!(await canvasPixels(page, 'a')).data.equals(without.data));
});

pageTest('two models are compared side by side and with a divider that keys move', {}, async (page) => {
  const { sample } = await sampleWithFinding(origin());
  const { models } = await facts();
  await openSample(page, sample);
  const [first, second] = [page.locator('#pane-a'), page.locator('#pane-b')];
  assert.ok(await second.isHidden());
  await page.locator('#compare').selectOption({ label: models.find(({ name }) => name === 'unet').title });
  await page.locator('#findings').getByText(/^U-Net: /).waitFor();
  assert.ok(await first.isVisible() && await second.isVisible());
  assert.deepEqual([await first.locator('figcaption').innerText(), await second.locator('figcaption').innerText()], [models[0].title, models[1].title]);
  const boxes = [await first.boundingBox(), await second.boundingBox()];
  assert.ok(boxes[1].x > boxes[0].x + boxes[0].width - 2);
  await page.getByRole('radio', { name: 'Swipe' }).check();
  const divider = page.getByRole('slider', { name: 'Divider between the two images' });
  await divider.focus();
  const before = await page.screenshot({ clip: await first.boundingBox() });
  for (let press = 0; press < 20; press += 1) await page.keyboard.press('ArrowLeft');
  await drawn(page);
  assert.equal(await divider.inputValue(), '30');
  assert.ok(!before.equals(await page.screenshot({ clip: await first.boundingBox() })));
});

pageTest('the image is zoomed and moved by buttons, wheel and keys, and fitted again', {}, async (page) => {
  const { sample } = await sampleWithFinding(origin());
  await openSample(page, sample);
  const whole = await canvasPixels(page, 'a');
  const changes = async (act, what) => {
    const before = await canvasPixels(page, 'a');
    await act();
    assert.ok(!(await canvasPixels(page, 'a')).data.equals(before.data), what);
  };
  await changes(() => page.getByRole('button', { name: 'Zoom in' }).click(), 'button');
  await changes(() => page.getByRole('button', { name: 'Move left' }).click(), 'move button');
  await page.locator('#viewport').focus();
  await changes(() => page.keyboard.press('+'), 'plus');
  await changes(() => page.keyboard.press('Shift+ArrowUp'), 'shift and arrow');
  const box = await page.locator('#pane-a canvas').boundingBox();
  await page.mouse.move(box.x + 300, box.y + 200);
  await changes(async () => { await page.mouse.down(); await page.mouse.move(box.x + 340, box.y + 230); await page.mouse.up(); }, 'drag');
  await page.keyboard.down('Control');
  await changes(() => page.mouse.wheel(0, -200), 'wheel');
  await page.keyboard.up('Control');
  await page.getByRole('button', { name: 'Fit' }).click();
  assert.ok((await canvasPixels(page, 'a')).data.equals(whole.data), 'as at first');
});

pageTest('the ruler measures in pixels by click and by keys', {}, async (page) => {
  const { sample, report } = await sampleWithFinding(origin());
  await openSample(page, sample);
  await page.getByRole('button', { name: 'Ruler' }).click();
  const box = await page.locator('#pane-a canvas').boundingBox();
  const scale = image(box, report.image);
  await page.mouse.click(box.x + 200, box.y + 150);
  await page.mouse.click(box.x + 300, box.y + 150);
  const status = page.locator('#status');
  assert.equal(await status.textContent(), `${Math.round(100 / scale)} px; the file has no pixel size`);
  await page.locator('#viewport').focus();
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('Enter');
  for (let press = 0; press < 4; press += 1) await page.keyboard.press('Shift+ArrowDown');
  await page.keyboard.press('Enter');
  assert.match(await status.textContent(), /^40 px/);
  await page.keyboard.press('Escape');
  assert.equal(await page.getByRole('button', { name: 'Ruler' }).getAttribute('aria-pressed'), 'false');
});

pageTest('the window of a picture can be changed, and saved files follow', {}, async (page) => {
  const { sample } = await sampleWithFinding(origin());
  await openSample(page, sample);
  const before = await canvasPixels(page, 'a');
  await slideTo(page, 'window-width', 100);
  assert.equal(await page.locator('#window-preset').inputValue(), 'custom');
  assert.ok(!(await canvasPixels(page, 'a')).data.equals(before.data));
  const narrow = await save(page, 'overlay');
  await page.locator('#window-preset').selectOption('own');
  assert.ok((await canvasPixels(page, 'a')).data.equals(before.data));
  assert.ok(!narrow.bytes.equals((await save(page, 'overlay')).bytes));
});

pageTest('the image follows the size of the window', {}, async (page) => {
  const { sample } = await sampleWithFinding(origin());
  await openSample(page, sample);
  const wide = await canvasPixels(page, 'a');
  await page.setViewportSize({ width: 1000, height: 800 });
  await page.waitForFunction((before) => document.querySelector('#pane-a canvas').width !== before, wide.width);
  const narrow = await canvasPixels(page, 'a');
  assert.ok(narrow.data.some((value, at) => at % 4 === 0 && value > 200), 'the slice is drawn at the new size');
});
