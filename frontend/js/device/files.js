// The module and the models for this device: fetched once, checked against their SHA-256, and kept in this browser.

import { Problem } from '../api.js';
import { strings } from '../strings.js';

/** Kept by sw.js when it removes the caches of older pages. */
const CACHE = 'ichor-models-1';
const CATALOG = 'models/models.json';
const address = (/** @type {string} */ path) => new URL(path, document.baseURI).href;

/** The store; none in private windows and on pages without encryption. @returns {Promise<Cache | null>} */
const openStore = () => (globalThis.caches ? caches.open(CACHE).catch(() => null) : Promise.resolve(null));

/** @param {string} path */
const unavailable = (path) => new Problem({ code: 'device_unavailable', ...strings.error.deviceUnavailable, detail: strings.error.deviceUnavailable.detail(path) });

/** Whether the bytes have the hash; unknown without encryption, where the module checks its models by itself. @param {Uint8Array<ArrayBuffer>} bytes @param {string} sha256 */
async function hasHash(bytes, sha256) {
  if (!globalThis.crypto?.subtle) return true;
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('') === sha256;
}

/** @param {Cache | null} store @param {string} key @param {BodyInit} body */
const keep = (store, key, body) => store?.put(key, new Response(body)).catch(() => { /* no space: fetched again next time */ });

/** The text of a small JSON file: the newest, or without a network the kept one. @param {string} path @param {AbortSignal} [signal] @returns {Promise<string>} */
async function fetchText(path, signal) {
  const store = await openStore();
  const key = address(path);
  try {
    const response = await fetch(key, { signal });
    if (!response.ok) throw new Error(`status ${response.status}`);
    const text = await response.text();
    JSON.parse(text); // some hosts answer with a page where there is no file
    await keep(store, key, text);
    return text;
  } catch (/** @type {any} */ error) {
    if (error.name === 'AbortError') throw error;
    const kept = await store?.match(key);
    if (kept) return kept.text();
    throw unavailable(path);
  }
}

/**
 * A large file, from the store or else fetched. Its address contains its hash, so that a file and its description never
 * come from different versions.
 * @param {string} path @param {string} sha256 @param {{signal?: AbortSignal, onBytes: (done: number, total: number) => void, size?: number}} options
 */
async function fetchFile(path, sha256, { signal, onBytes, size = 0 }) {
  const store = await openStore();
  const key = `${address(path)}?v=${sha256.slice(0, 16)}`;
  const kept = await store?.match(key);
  if (kept) {
    const bytes = new Uint8Array(await kept.arrayBuffer());
    if (await hasHash(bytes, sha256)) return bytes;
  }
  for (const cache of /** @type {const} */ (['default', 'reload'])) {
    const bytes = await download(key, path, { cache, signal }, size, onBytes);
    if (!await hasHash(bytes, sha256)) continue;
    for (const old of await store?.keys() ?? []) if (old.url.split('?')[0] === address(path)) await store?.delete(old);
    await keep(store, key, bytes);
    return bytes;
  }
  throw unavailable(path);
}

/** @param {string} key @param {string} path @param {RequestInit} options @param {number} size @param {(done: number, total: number) => void} onBytes */
async function download(key, path, options, size, onBytes) {
  try {
    const response = await fetch(key, options);
    if (!response.ok || !response.body) throw new Error(`status ${response.status}`);
    // The length of a compressed body is not that of the file.
    const total = size || (response.headers.get('content-encoding') ? 0 : Number(response.headers.get('content-length')));
    const parts = [];
    let done = 0;
    for (const reader = response.body.getReader();;) {
      const { value } = await reader.read();
      if (!value) break;
      parts.push(value);
      done += value.length;
      onBytes(done, Math.max(done, total));
    }
    return new Uint8Array(await new Blob(parts).arrayBuffer());
  } catch (/** @type {any} */ error) {
    if (error.name === 'AbortError') throw error;
    throw unavailable(path);
  }
}

/** The compiled module. @param {AbortSignal} signal @param {(done: number, total: number) => void} onBytes */
export async function fetchModule(signal, onBytes) {
  const { bytes: size, sha256 } = JSON.parse(await fetchText('device/manifest.json', signal));
  return WebAssembly.compile(await fetchFile('device/ichor.wasm', sha256, { signal, onBytes, size }));
}

/** The files of a model in the order of `load_model`. @param {string} name @param {AbortSignal} signal @param {(done: number, total: number) => void} onBytes */
export async function fetchModel(name, signal, onBytes) {
  const folder = `models/${name}`;
  const spec = await fetchText(`${folder}/model.json`, signal);
  const { file, sha256 } = JSON.parse(spec);
  const network = await fetchFile(`${folder}/${file}`, sha256, { signal, onBytes });
  // The model card is not part of a report; the page links to it.
  return [new TextEncoder().encode(spec), network, new Uint8Array()];
}

/** The models of a page without a server, in the form of `GET /v1/models`. @returns {Promise<ServerInfo>} */
export const fetchCatalog = async () => JSON.parse(await fetchText(CATALOG));

/** What a server said about its models on an earlier visit. @returns {Promise<ServerInfo>} */
export async function keptCatalog() {
  const kept = await (await openStore())?.match(address(CATALOG));
  if (!kept) throw unavailable(CATALOG);
  return kept.json();
}

/** Keeps what the server said about its models, for `keptCatalog`. @param {ServerInfo} serverInfo */
export async function keepCatalog(serverInfo) {
  await keep(await openStore(), address(CATALOG), JSON.stringify(serverInfo));
}
