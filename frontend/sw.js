// Stores the page for offline use. Network first, so that an old copy never hides a newer page.
// Requests to the API pass through: no image and no result is ever stored.

const CACHE = 'ichor-page-5'; // a new number removes the files of older versions
const FILES = [
  './', 'icon.svg', 'manifest.webmanifest', 'css/page.css', 'css/viewer.css', 'css/panels.css', 'samples/samples.json',
  'js/analysis.js',
  'js/api.js',
  'js/appearance.js',
  'js/data/base64.js',
  'js/data/exports.js',
  'js/data/file-drop.js',
  'js/data/file-set.js',
  'js/data/geometry.js',
  'js/data/ich-score.js',
  'js/data/lesions.js',
  'js/data/measurements.js',
  'js/data/nifti.js',
  'js/data/png-reader.js',
  'js/data/png-writer.js',
  'js/data/regions.js',
  'js/data/segmentation.js',
  'js/data/study.js',
  'js/data/verdict.js',
  'js/data/zip-reader.js',
  'js/data/zip-writer.js',
  'js/device/client.js',
  'js/device/files.js',
  'js/device/instance.js',
  'js/device/location.js',
  'js/device/module.js',
  'js/device/pool.js',
  'js/device/support.js',
  'js/device/worker.js',
  'js/dom.js',
  'js/export-actions.js',
  'js/format.js',
  'js/intake.js',
  'js/main.js',
  'js/navigation.js',
  'js/offline.js',
  'js/panels/about.js',
  'js/panels/busy.js',
  'js/panels/calculators.js',
  'js/panels/diagnostics.js',
  'js/panels/dialog.js',
  'js/panels/downloads.js',
  'js/panels/drop-zone.js',
  'js/panels/error-panel.js',
  'js/panels/finding-text.js',
  'js/panels/finding-view.js',
  'js/panels/findings.js',
  'js/panels/gallery.js',
  'js/panels/grouping-question.js',
  'js/panels/lesion-list.js',
  'js/panels/location-choice.js',
  'js/panels/model-choice.js',
  'js/panels/page-settings.js',
  'js/panels/pattern-list.js',
  'js/panels/shortcut-sheet.js',
  'js/panels/threshold.js',
  'js/panels/volume-view.js',
  'js/placeholders.js',
  'js/renderer.js',
  'js/selection.js',
  'js/session.js',
  'js/settings.js',
  'js/shortcuts.js',
  'js/strings.js',
  'js/strings/de-calculators.js',
  'js/strings/de-warnings.js',
  'js/strings/de.js',
  'js/strings/en-calculators.js',
  'js/strings/en.js',
  'js/task-runner.js',
  'js/view/gestures.js',
  'js/view/heat-colors.js',
  'js/view/layers.js',
  'js/view/overlay-controls.js',
  'js/view/pane-painter.js',
  'js/view/ruler.js',
  'js/view/slice-strip.js',
  'js/view/transform.js',
  'js/view/viewer.js',
  'js/view/viewport-labels.js',
  'js/view/window-controls.js',
  'samples/thumbnails/007.webp',
  'samples/thumbnails/008.webp',
  'samples/thumbnails/026.webp',
  'samples/thumbnails/036.webp',
  'samples/thumbnails/038.webp',
  'samples/thumbnails/066.webp',
  'samples/thumbnails/074.webp',
  'samples/thumbnails/090.webp',
  'samples/thumbnails/097.webp',
  'samples/thumbnails/099.webp',
  'samples/thumbnails/110.webp',
  'samples/thumbnails/112.webp',
].map((path) => new URL(path, self.location).href);
// The page keeps these itself (js/device/files.js).
const MODELS = 'ichor-models-1';
const KEPT_BY_PAGE = /\/(models\/[^?]*|device\/(manifest\.json|ichor\.wasm))$/;
const API = /\/v1\//;

self.addEventListener('install', (event) => {
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(FILES)).then(() => self.skipWaiting()));
});

self.addEventListener('activate', (event) => {
  const removeOldCaches = async () => {
    for (const name of await caches.keys()) if (name.startsWith('ichor-') && name !== CACHE && name !== MODELS) await caches.delete(name);
    await self.clients.claim();
  };
  event.waitUntil(removeOldCaches());
});

self.addEventListener('fetch', (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== 'GET' || url.origin !== self.location.origin || API.test(url.pathname) || KEPT_BY_PAGE.test(url.pathname)) return;
  event.respondWith(respond(request));
});

async function respond(request) {
  const cache = await caches.open(CACHE);
  try {
    const response = await fetch(request);
    if (response.ok) await cache.put(request, response.clone());
    return response;
  } catch (error) {
    const stored = await cache.match(request, { ignoreSearch: true });
    if (stored) return stored;
    throw error;
  }
}
