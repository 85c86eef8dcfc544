// Modules that need no browser: readers and writers of files, regions, geometry, verdicts.

import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { test } from 'node:test';
import { deflateSync, gunzipSync } from 'node:zlib';
import { ROOT } from './ichor.mjs';
import { flatPng } from './samples.mjs';
import { zipOf } from './zip-files.mjs';

const PAGE = join(ROOT, 'frontend');
const load = (path) => import(join(PAGE, 'js', path));
const { decodeGreyPng } = await load('data/png-reader.js');
const { findRegions, areAdjacent } = await load('data/regions.js');
const { connectLesions } = await load('data/lesions.js');
const { affineOf, distance, edgeLetters, directionLetters, scaleBar } = await load('data/geometry.js');
const { crc32, writeZip } = await load('data/zip-writer.js');
const { gzip, maskParts, samplesParts } = await load('data/nifti.js');
const { encodeGreyPng } = await load('data/png-writer.js');

/** A grey PNG whose rows use `filters` in turn, encoded by the definitions of section 9. */
function filteredPng(samples, width, height, depth, filters) {
  const size = depth / 8;
  const stride = width * size;
  const raw = Buffer.alloc(stride * height);
  samples.forEach((value, at) => (size === 1 ? raw.writeUInt8(value, at) : raw.writeUInt16BE(value, 2 * at)));
  const rows = [];
  for (let y = 0; y < height; y += 1) {
    const filter = filters[y % filters.length];
    const at = (x, row) => (x < 0 || row < 0 ? 0 : raw[row * stride + x]);
    const row = Buffer.alloc(stride + 1);
    row[0] = filter;
    for (let x = 0; x < stride; x += 1) {
      const [a, b, c] = [at(x - size, y), at(x, y - 1), at(x - size, y - 1)];
      const p = a + b - c;
      const nearest = [a, b, c].reduce((best, one) => (Math.abs(p - one) < Math.abs(p - best) ? one : best));
      row[x + 1] = raw[y * stride + x] - [0, a, b, (a + b) >> 1, nearest][filter];
    }
    rows.push(row);
  }
  const plain = flatPng(width, height);
  plain[24] = depth;
  const start = plain.indexOf('IDAT') - 4;
  const packed = deflateSync(Buffer.concat(rows));
  const chunk = Buffer.alloc(packed.length + 12);
  chunk.writeUInt32BE(packed.length, 0);
  chunk.write('IDAT', 4, 'latin1');
  packed.copy(chunk, 8);
  return Buffer.concat([plain.subarray(0, start), chunk, plain.subarray(plain.indexOf('IEND') - 4)]);
}

for (const depth of [8, 16]) {
  for (const [name, filters] of [['none', [0]], ['sub', [1]], ['up', [2]], ['average', [3]], ['Paeth', [4]], ['all in turn', [4, 3, 2, 1, 0]]]) {
    test(`a ${depth}-bit grey PNG is read exactly, filter ${name}`, async () => {
      const [width, height] = [13, 11];
      const samples = Array.from({ length: width * height }, (_, at) => (at * 7919 + at * at * 31) % 2 ** depth);
      const decoded = await decodeGreyPng(filteredPng(samples, width, height, depth, filters));
      assert.deepEqual([decoded.width, decoded.height, Array.from(decoded.samples)], [width, height, samples]);
    });
  }
}

test('files other than plain grey PNG are rejected', async () => {
  const whole = flatPng(20, 20, 7);
  const colour = Buffer.from(whole);
  colour[25] = 2;
  for (const bytes of [Buffer.alloc(0), Buffer.from('GIF89a'), whole.subarray(0, 20), colour]) await assert.rejects(decodeGreyPng(new Uint8Array(bytes)));
  const large = Buffer.from(whole);
  large.writeUInt32BE(4000, 20); // more rows than the data have
  await assert.rejects(decodeGreyPng(new Uint8Array(large)), /ends early/);
});

/** Areas of regions by flood fill, slow and simple. */
function flood(values, width, height, least) {
  const seen = new Set();
  const areas = [];
  for (let start = 0; start < values.length; start += 1) {
    if (values[start] < least || seen.has(start)) continue;
    const open = [start];
    seen.add(start);
    let area = 0;
    while (open.length) {
      const at = open.pop();
      area += 1;
      for (let dy = -1; dy <= 1; dy += 1) {
        for (let dx = -1; dx <= 1; dx += 1) {
          const [x, y] = [(at % width) + dx, Math.floor(at / width) + dy];
          const next = y * width + x;
          if (x < 0 || y < 0 || x >= width || y >= height || seen.has(next) || values[next] < least) continue;
          seen.add(next);
          open.push(next);
        }
      }
    }
    areas.push(area);
  }
  return areas.sort((a, b) => b - a);
}

test('regions match a flood fill, on noise of every density', () => {
  let seed = 1;
  const random = () => { seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31; return seed / 2 ** 31; };
  for (let round = 0; round < 60; round += 1) {
    const [width, height] = [1 + Math.floor(random() * 30), 1 + Math.floor(random() * 30)];
    const values = Uint8Array.from({ length: width * height }, () => random() * 255);
    const least = 20 + Math.floor(random() * 220);
    const found = findRegions(values, width, height, least);
    assert.deepEqual(found.map(({ area }) => area), flood(values, width, height, least));
    const pixels = found.flatMap(({ runs }) => runs).reduce((sum, [, first, last]) => sum + last - first + 1, 0);
    assert.equal(pixels, values.filter((value) => value >= least).length);
  }
});

test('small regions are dropped; box and centroid match the pixels', () => {
  const values = new Uint8Array(80);
  for (const [x, y] of [[1, 1], [5, 4], [6, 4], [5, 5], [6, 5], [7, 6]]) values[y * 10 + x] = 200;
  const [region, ...others] = findRegions(values, 10, 8, 100, 2);
  assert.equal(others.length, 0);
  assert.deepEqual(region.bbox, { x: 5, y: 4, width: 3, height: 3 });
  assert.ok(Math.abs(region.centroid.x - 5.8) < 1e-9 && Math.abs(region.centroid.y - 4.8) < 1e-9);
});

const slice = (index, position) => ({
  index, width: 10, height: 10, spacing: [2, 1], extentMm: 5,
  placement: { position_mm: position, row: [1, 0, 0], column: [0, 1, 0] },
});
const square = (x, y, side) => {
  const values = new Uint8Array(100);
  for (let row = y; row < y + side; row += 1) values.fill(255, row * 10 + x, row * 10 + x + side);
  return findRegions(values, 10, 10, 1);
};

test('regions of adjacent slices that touch by face, edge or corner are one lesion', () => {
  const all = new Uint8Array(100).fill(255);
  const slices = [0, 1, 2].map((index) => slice(index, [0, 0, 5 * index]));
  const cases = [[[2, 2, 2], 1], [[4, 4, 2], 1], [[5, 5, 2], 2]]; // the upper square: overlapping, at the corner, apart
  for (const [[x, y, side], expected] of cases) {
    const lesions = connectLesions(slices, [square(2, 2, 2), square(x, y, side), []], () => all);
    assert.equal(lesions.length, expected, `${x}, ${y}`);
    assert.equal(lesions.reduce((sum, { volumeMl }) => sum + volumeMl, 0), (8 * 2 * 5) / 1000);
  }
  const apart = connectLesions(slices, [square(2, 2, 2), [], square(2, 2, 3)], () => all);
  assert.deepEqual(apart.map(({ id, voxels, keySlice }) => [id, voxels, keySlice]), [[1, 9, 2], [2, 4, 0]]);
});

test('lesions follow the shift of slices under a tilted gantry', () => {
  const slices = [slice(0, [0, 0, 0]), slice(1, [4, 0, 5])]; // four columns to the left
  const lesions = connectLesions(slices, [square(6, 2, 2), square(2, 2, 2)], () => new Uint8Array(100));
  assert.equal(lesions.length, 1);
  assert.ok(!areAdjacent(square(2, 2, 2)[0], square(6, 2, 2)[0]));
});

test('unknown sizes are null, never zero', () => {
  const bare = { ...slice(0, [0, 0, 0]), spacing: null, placement: null, extentMm: null };
  const [lesion] = connectLesions([bare], [square(1, 1, 3)], () => new Uint8Array(100));
  assert.deepEqual([lesion.areaMm2, lesion.volumeMl, lesion.voxels], [null, null, 9]);
});

test('edges are named by their direction, and only with a placement', () => {
  const axial = { row: [1, 0, 0], column: [0, 1, 0] };
  assert.deepEqual(edgeLetters(axial), { left: 'R', right: 'L', top: 'A', bottom: 'P' });
  assert.equal(directionLetters([0, 0.6, -0.8]), 'FP');
  assert.equal(directionLetters([0.99, 0.1, 0]), 'L');
  assert.equal(edgeLetters(null), null);
});

test('the ruler measures anisotropic pixels in mm, and the scale bar has a round length', () => {
  const { mm, px } = distance({ x: 0, y: 0 }, { x: 3, y: 4 }, [2, 1]);
  assert.ok(Math.abs(px - 5) < 1e-9 && Math.abs(mm - Math.hypot(3, 8)) < 1e-9);
  assert.equal(distance({ x: 0, y: 0 }, { x: 3, y: 4 }, null).mm, null);
  const bar = scaleBar([0.5, 0.5], 2, 800); // 4 px per mm, 200 px at most
  assert.deepEqual([bar.mm, bar.px], [50, 200]);
  assert.equal(scaleBar(null, 2, 800), null);
});

test('the affine maps voxels to DICOM’s positions in NIfTI’s directions', () => {
  const slices = [slice(0, [-10, -20, 30]), slice(1, [-10, -20, 35])];
  const { rows, isEven } = affineOf(slices);
  assert.deepEqual(rows, [[-1, -0, -0, 10], [-0, -2, -0, 20], [0, 0, 5, 30]]);
  assert.ok(isEven);
  assert.ok(!affineOf([...slices, slice(2, [-10, -20, 44])]).isEven);
});

test('masks and samples are written as NIfTI, voxel for voxel', async () => {
  const slices = [slice(0, [-10, -20, 30]), slice(1, [-10, -20, 35])];
  const packed = await gzip(maskParts(slices, (at) => (at ? square(2, 3, 2) : [])));
  const bytes = gunzipSync(Buffer.from(await packed.arrayBuffer()));
  assert.equal(bytes.length, 352 + 200);
  assert.deepEqual([bytes.readInt16LE(42), bytes.readInt16LE(46), bytes.readInt16LE(70)], [10, 2, 2]);
  const on = [...bytes.subarray(352).entries()].filter(([, value]) => value).map(([at]) => at);
  assert.deepEqual(on, [132, 133, 142, 143]);
  const samples = Buffer.from(await new Blob(samplesParts(slices.map((one) => ({ ...one, samples: new Int16Array(100).fill(-7) })))).arrayBuffer());
  assert.equal(samples.readInt16LE(352), -7);
});

test('a zip is stored, numbered and checked', async () => {
  assert.equal(crc32(Buffer.from('123456789')), 0xcbf43926); // the check value of CRC-32/ISO-HDLC
  const file = (name, text) => Object.assign(new Blob([text]), { name });
  const zip = Buffer.from(await (await writeZip([file('Doe John.DCM', 'one'), file('2.840.113', 'two')])).arrayBuffer());
  assert.ok(!zip.includes('Doe') && zip.includes('00001.dcm') && zip.includes('00002') && !zip.includes('.113'));
  assert.equal(zip.readUInt16LE(zip.length - 22 + 10), 2);
  const stop = AbortSignal.abort();
  await assert.rejects(writeZip([file('a', 'b')], { signal: stop }), { name: 'AbortError' });
});

test('a mask is written as an 8-bit grey PNG and read back', async () => {
  const values = Uint8Array.from({ length: 60 }, (_, at) => (at % 7 ? 0 : 255));
  const png = new Uint8Array(await (await encodeGreyPng(values, 10, 6)).arrayBuffer());
  assert.deepEqual((await decodeGreyPng(png)).samples, values);
});

test('the report of a series replaces the results of single slices', async () => {
  const { resultOf, createStudy, storeReport, storeSlice } = await load('data/study.js');
  const { createMeasurements } = await load('data/measurements.js');
  const study = createStudy({ name: 'head', body: null, count: 2 });
  const png = await (await encodeGreyPng(new Uint8Array(16).fill(255), 4, 4)).arrayBuffer();
  const mask = { base64: Buffer.from(png).toString('base64') };
  for (const index of [0, 1, 2]) {
    const open = index !== 1;
    await storeSlice(study, 'm', { index, probability: 0.5, readout: { open, min_lesion_px: 1 }, area_px: 16, lesions: [{}], mask }, { width: 4, height: 4 });
  }
  const outlined = () => [0, 1, 2].map((index) => createMeasurements(study, resultOf(study, 'm'), null).regionsAt(index).length);
  assert.deepEqual(outlined(), [1, 0, 1]);
  const slices = [0.1, 0.9, 0.4].map((probability, index) => ({ index, probability, readout: { open: index > 0, min_lesion_px: 1 }, placement: null, area_px: index === 1 ? 16 : 0 }));
  storeReport(study, 'm', { series: { window: null, spacing_mm: null }, slices, warnings: [] });
  assert.deepEqual(outlined(), [0, 1, 0]);
  assert.equal(resultOf(study, 'm').slices[1].probability, 0.9);
});

test('"no" needs a complete analysis, at every threshold', async () => {
  const { decideDetection, isIncomplete, isUndecided, isUnreadable } = await load('data/verdict.js');
  const report = (detected, probability, more = {}) => ({ hemorrhage: { detected, probability }, warnings: [], ...more });
  const left = { warnings: [{ code: 'a', message: 'A.', doubt: 'incomplete' }] };
  const contradicted = { warnings: [{ code: 'nothing_outlined', message: 'A.', doubt: 'undecided' }] };
  const unread = { slices: [{ probability: 0.1 }, { probability: null }] };
  for (const [what, given, outlined, moved, expected] of [
    ['no', report(false, 0.1), false, false, false],
    ['yes', report(true, 0.9), true, false, true],
    ['not interpreted', report(null, null), false, false, null],
    ['not interpreted, at another threshold', report(null, null), false, true, null],
    ['incomplete', report(null, 0.1, left), false, false, null],
    ['incomplete, outlined at a lower threshold', report(null, 0.1, left), true, true, true],
    ['incomplete but outlined, nothing at a higher threshold', report(true, 0.9, left), false, true, null],
    ['undecided', report(null, 0.6, contradicted), false, false, null],
    ['undecided, outlined at a lower threshold', report(null, 0.6, contradicted), true, true, true],
    ['undecided, nothing at a lower threshold either', report(null, 0.6, contradicted), false, true, null],
    ['one slice not interpreted', report(null, 0.1, unread), false, false, null],
    ['outlined beside a slice not interpreted, nothing at a higher threshold', report(true, 0.9, unread), false, true, null],
    ['a mask although the answer is null', report(null, 0.9), true, false, null],
  ]) assert.equal(decideDetection(given, outlined, moved), expected, what);
  assert.ok(isUnreadable(report(null, null)) && !isUnreadable(null) && !isIncomplete(report(false, 0)));
  assert.ok(isUndecided(report(null, 0.6, contradicted)) && !isIncomplete(report(null, 0.6, contradicted)));
  const both = { warnings: [...contradicted.warnings, ...left.warnings] };
  assert.ok(isIncomplete(report(null, 0.6, both)) && !isUndecided(report(null, 0.6, both)));
});

test('a slice without a probability is outlined at no threshold', async () => {
  const { createMeasurements } = await load('data/measurements.js');
  const full = new Uint8Array(16).fill(255);
  const study = { slices: [{ width: 4, height: 4, spacing: null, extentMm: null }], pictures: null };
  const part = (probability) => ({ report: null, reports: [], slices: [{ probability, readout: { open: true, min_lesion_px: 1 }, mask: full, probabilities: full }] });
  for (const threshold of [null, 0.1]) {
    assert.equal(createMeasurements(study, part(0.9), threshold).regionsAt(0).length, 1);
    assert.equal(createMeasurements(study, part(null), threshold).regionsAt(0).length, 0);
  }
});

test('only several pictures, as files or in a zip, need the question whether they are one head', async () => {
  const { findPictures } = await load('data/file-set.js');
  const file = (name, bytes = 'x', type = '') => Object.assign(new Blob([bytes], { type }), { name });
  const names = async (...files) => (await findPictures(files))?.map(({ name }) => name) ?? null;
  assert.deepEqual(await names(file('1.png'), file('2.JPG'), file('notes.txt')), ['1.png', '2.JPG']);
  assert.deepEqual(await names(file('one', flatPng(2, 2)), file('two', flatPng(2, 2))), ['one', 'two']);
  assert.deepEqual(await names(file('a', 'x', 'image/heic'), file('b.tif')), ['a', 'b.tif']);
  for (const files of [[file('1.png')], [file('1.png'), file('IM0001')], [file('1.dcm'), file('2.dcm')], [file('1.png'), file('head.nii.gz')],
    [file('1.png'), file('slices.csv')], [file('a', 'x', 'image/dicom-rle'), file('b.png')], [file('no.zip')]]) assert.equal(await names(...files), null);
  const zip = (...entries) => file('a.zip', zipOf(entries.map((name) => ({ name, bytes: Buffer.from(name), deflate: name.includes('2') }))));
  assert.deepEqual(await names(zip('h/10.png', 'h/2.png', 'h/', 'h/.DS_Store', '__MACOSX/h/._2.png', 'h/a.csv')), ['2.png', '10.png']);
  assert.equal(await names(zip('1.png', '2.dcm')), null);
  assert.equal(await names(zip('1.png')), null);
  const [second] = await findPictures([zip('h/10.png', 'h/2.png')]);
  assert.equal(await (await second.open()).text(), 'h/2.png');
});

test('a damaged zip is rejected, and unpacks no more than it declares', async () => {
  const { readZip } = await load('data/zip-reader.js');
  const bytes = zipOf([{ name: 'a.png', bytes: Buffer.alloc(5000, 7), deflate: true }]);
  const blob = (change) => { const copy = Buffer.from(bytes); change(copy); return new Blob([copy]); };
  for (const at of [bytes.length - 6, bytes.length - 22, bytes.indexOf('PK\x01\x02')]) await assert.rejects(readZip(blob((copy) => { copy[at] = 0xff; })), RangeError);
  await assert.rejects(readZip(new Blob(['no zip'])), RangeError);
  const [entry] = await readZip(blob((copy) => copy.writeUInt32LE(10, bytes.indexOf('PK\x01\x02') + 24)));
  await assert.rejects(entry.open(), /larger than the zip says/);
  for (let cut = 1; cut < bytes.length; cut += 7) {
    const opened = await readZip(new Blob([bytes.subarray(0, cut)])).catch(() => []);
    assert.deepEqual(opened, []);
  }
});

test('the other series of a warning are listed', async () => {
  const { listOtherSeries } = await load('panels/finding-text.js');
  const message = 'Of 12 series, number 2 was segmented: series 3, 20 slices. Left out: 1 (series 2, kernel H(1), 9 slices); 3 (1 slice); 9 more. Take another with --series NUMBER.';
  assert.deepEqual(listOtherSeries({ warnings: [{ code: 'series_chosen', message }] }), [{ number: 1, label: 'series 2, kernel H(1), 9 slices' }, { number: 3, label: '1 slice' }]);
  assert.deepEqual(listOtherSeries({ warnings: [{ code: 'series_chosen', message: 'Another wording.' }, { code: 'other', message }] }), []);
});

async function filesUnder(folder) {
  const found = await readdir(folder, { recursive: true, withFileTypes: true });
  return found.filter((entry) => entry.isFile()).map((entry) => relative(PAGE, join(entry.parentPath ?? entry.path, entry.name)));
}

test('every module is stored for offline use, and those of the first view are preloaded', async () => {
  const worker = await readFile(join(PAGE, 'sw.js'), 'utf8');
  const modules = await filesUnder(join(PAGE, 'js'));
  for (const file of modules) assert.ok(worker.includes(`'${file}'`), `sw.js lacks ${file}`);
  for (const [, file] of worker.matchAll(/^ {2}'(js\/[^']+)'/gm)) assert.ok(modules.includes(file), `sw.js keeps ${file}, which is gone`);
  const reached = new Set();
  const walk = async (path) => {
    if (reached.has(path)) return;
    reached.add(path);
    const source = await readFile(path, 'utf8');
    for (const [, next] of source.matchAll(/^import [^;]*?from '([^']+)'/gm)) await walk(resolve(dirname(path), next));
  };
  await walk(join(PAGE, 'js/main.js'));
  const page = await readFile(join(PAGE, 'index.html'), 'utf8');
  const preloaded = [...page.matchAll(/rel="modulepreload" href="([^"]+)"/g)].map(([, path]) => path).sort();
  assert.deepEqual(preloaded, [...reached].map((path) => relative(PAGE, path)).filter((path) => path !== 'js/main.js').sort());
});

test('modules stay small', async () => {
  for (const file of await filesUnder(join(PAGE, 'js'))) {
    if (file.includes('strings/')) continue; // one text per line
    const lines = (await readFile(join(PAGE, file), 'utf8')).split('\n').length;
    // The controller names every widget once.
    assert.ok(lines <= (file === 'js/main.js' ? 250 : 200), `${file} has ${lines} lines`);
  }
});
