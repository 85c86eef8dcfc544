// `make site`: the page on a host of static files, below a path, without a server.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { after, before } from 'node:test';
import { promisify } from 'node:util';
import { openSample, seeResult } from './actions.mjs';
import { headFile } from './head.mjs';
import { BINARY, ROOT } from './ichor.mjs';
import { pageTest } from './page-fixture.mjs';
import { samples } from './samples.mjs';

const PATH = '/teaching/head/';
const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.json': 'application/json', '.wasm': 'application/wasm' };
let folder;
let host;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ichor-site-'));
  await promisify(execFile)(join(ROOT, 'scripts', 'site.sh'), [BINARY, join(folder, 'site')]);
  host = createServer(async ({ url, method }, response) => {
    const path = decodeURIComponent(new URL(url, 'http://localhost').pathname);
    const file = path.startsWith(PATH) && method === 'GET' ? path.slice(PATH.length) || 'index.html' : '';
    const content = file && !file.includes('..') ? await readFile(join(folder, 'site', file)).catch(() => null) : null;
    if (!content) return response.writeHead(404).end();
    return response.writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'application/octet-stream' }).end(content);
  });
  await new Promise((ready) => { host.listen(0, '127.0.0.1', ready); });
});
after(async () => {
  host?.close();
  if (folder) await rm(folder, { recursive: true });
});

// A failed request, as to an API that is not there, is a line of the console and fails the test.
pageTest('the page of a static host below a path analyses files without a server', {
  location: 'automatic', server: async () => `http://127.0.0.1:${host.address().port}${PATH}`,
}, async (page) => {
  await page.getByText('never leave this device').waitFor();
  assert.ok(await page.locator('#location').isHidden());
  await page.getByText('not a medical device').first().waitFor({ state: 'attached' });
  await openSample(page, samples[0]);
  await page.getByRole('radio', { name: 'U-Net' }).check();
  await page.setInputFiles('#file', headFile());
  await seeResult(page);
  await page.locator('.headline[data-detected="true"]').waitFor();
  const card = await page.getByRole('link', { name: 'Model card of U-Net' }).getAttribute('href');
  assert.ok((await fetch(card)).ok, card);
  const policy = await page.locator('meta[http-equiv="Content-Security-Policy"]').getAttribute('content');
  const sources = new Set(policy.split(';').flatMap((part) => part.trim().split(/\s+/).slice(1)));
  // Pictures of results are blobs; the icons of the 3D view are data.
  assert.deepEqual([...sources].sort(), ["'none'", "'self'", "'wasm-unsafe-eval'", 'blob:', 'data:']);
});
