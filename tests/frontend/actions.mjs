// Actions of a visitor, and the pixels that result.

/** Clicks a sample and waits for its result. */
export async function openSample(page, { label, detail }) {
  await page.getByRole('button', { name: `${label}, ${detail}` }).click();
  await seeResult(page);
}

/** Waits until a result is shown and no task runs. */
export async function seeResult(page) {
  await page.locator('#findings-body .verdict').waitFor();
  await page.locator('#busy').waitFor({ state: 'hidden' });
  await page.locator('#findings:not([aria-busy])').waitFor();
}

/** Drops files on the page. */
export async function dropFiles(page, ...files) {
  const transfer = await page.evaluateHandle((list) => {
    const data = new DataTransfer();
    for (const [fileName, type, base64] of list) data.items.add(new File([Uint8Array.from(atob(base64), (char) => char.charCodeAt(0))], fileName, { type }));
    return data;
  }, files.map(({ name, mimeType, buffer }) => [name, mimeType, buffer.toString('base64')]));
  for (const event of ['dragenter', 'dragover', 'drop']) await page.dispatchEvent('body', event, { dataTransfer: transfer });
}

/** Moves a slider to a value, with the events of a visitor. */
export async function slideTo(page, id, value) {
  await page.locator(`#${id}`).fill(String(value));
}

/** Pixels of one of the viewer's canvases, `a` or `b`, after pending drawing: {width, height, data: RGBA bytes}. */
export async function canvasPixels(page, pane) {
  await page.evaluate(() => new Promise((done) => { requestAnimationFrame(() => requestAnimationFrame(done)); }));
  const { width, height, base64 } = await page.evaluate((name) => {
    const canvas = document.querySelector(`#pane-${name} canvas`);
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    let text = '';
    for (let at = 0; at < data.length; at += 8192) text += String.fromCharCode(...data.subarray(at, at + 8192));
    return { width: canvas.width, height: canvas.height, base64: btoa(text) };
  }, pane);
  return { width, height, data: Buffer.from(base64, 'base64') };
}

/** A sample re-encoded by the browser as `image/jpeg` or `image/webp`, in its own size or `size`. */
export async function encodedBy(page, address, mimeType, size = null) {
  const base64 = await page.evaluate(async ([from, type, wanted]) => {
    const picture = await createImageBitmap(await (await fetch(from)).blob());
    const canvas = new OffscreenCanvas(...(wanted ?? [picture.width, picture.height]));
    canvas.getContext('2d').drawImage(picture, 0, 0, canvas.width, canvas.height);
    const bytes = new Uint8Array(await (await canvas.convertToBlob({ type, quality: 0.95 })).arrayBuffer());
    return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
  }, [address, mimeType, size]);
  return Buffer.from(base64, 'base64');
}

/** Saves a file: {name, bytes}. */
export async function save(page, kind) {
  const waiting = page.waitForEvent('download');
  await page.locator(`#save-${kind}`).click();
  const download = await waiting;
  const { readFile } = await import('node:fs/promises');
  return { name: download.suggestedFilename(), bytes: await readFile(await download.path()) };
}

/** Waits until the page has drawn. */
export async function drawn(page) {
  await page.evaluate(() => new Promise((done) => { requestAnimationFrame(() => requestAnimationFrame(done)); }));
}

const channels = (color) => [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16));

/** Count and centre (as shares of the canvas) of the pixels `within` some levels of a colour, in a `box` of the canvas. */
export function painted({ width, height, data }, color, within = 4, box = { x: 0, y: 0, width, height }) {
  const wanted = channels(color);
  let [count, x, y] = [0, 0, 0];
  for (let at = 0; at < data.length; at += 4) {
    if (wanted.some((value, channel) => Math.abs(data[at + channel] - value) > within)) continue;
    const [column, row] = [(at / 4) % width, Math.floor(at / 4 / width)];
    if (column < box.x || row < box.y || column >= box.x + box.width || row >= box.y + box.height) continue;
    count += 1;
    x += column;
    y += row;
  }
  return { count, x: (x / count + 0.5) / width, y: (y / count + 0.5) / height };
}
