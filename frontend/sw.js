// Keeps the page for use without a network. Network first: a newer page is never hidden by an older one.
// The API is left alone: no image and no answer is ever kept.

const CACHE = 'ichor-page-2'; // another number drops what older versions kept
const FILES = [
  './', 'icon.svg', 'manifest.webmanifest', 'css/page.css', 'css/viewer.css', 'css/panels.css', 'samples/samples.json',
  'js/api.js',
  'js/appearance.js',
  'js/analysis.js',
  'js/selection.js',
  'js/data/base64.js',
  'js/data/exports.js',
  'js/data/file-drop.js',
  'js/data/geometry.js',
  'js/data/png-reader.js',
  'js/data/lesions.js',
  'js/data/nifti.js',
  'js/data/file-set.js',
  'js/data/measurements.js',
  'js/data/regions.js',
  'js/data/segmentation.js',
  'js/data/study.js',
  'js/data/png-writer.js',
  'js/data/zip-reader.js',
  'js/data/verdict.js',
  'js/data/zip-writer.js',
  'js/dom.js',
  'js/format.js',
  'js/main.js',
  'js/navigation.js',
  'js/placeholders.js',
  'js/offline.js',
  'js/intake.js',
  'js/panels/about.js',
  'js/panels/busy.js',
  'js/panels/diagnostics.js',
  'js/panels/dialog.js',
  'js/panels/downloads.js',
  'js/panels/drop-zone.js',
  'js/panels/error-panel.js',
  'js/panels/finding-view.js',
  'js/panels/finding-text.js',
  'js/panels/findings.js',
  'js/panels/gallery.js',
  'js/panels/grouping-question.js',
  'js/panels/lesion-list.js',
  'js/panels/model-choice.js',
  'js/panels/page-settings.js',
  'js/panels/shortcut-sheet.js',
  'js/panels/threshold.js',
  'js/panels/volume-view.js',
  'js/task-runner.js',
  'js/export-actions.js',
  'js/session.js',
  'js/settings.js',
  'js/shortcuts.js',
  'js/renderer.js',
  'js/strings.js',
  'js/strings/de.js',
  'js/strings/en.js',
  'js/view/heat-colors.js',
  'js/view/overlay-controls.js',
  'js/view/pane-painter.js',
  'js/view/transform.js',
  'js/view/gestures.js',
  'js/view/layers.js',
  'js/view/ruler.js',
  'js/view/slice-strip.js',
  'js/view/viewport-labels.js',
  'js/view/viewer.js',
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
const API = /\/v1\//;

self.addEventListener('install', (event) => {
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(FILES)).then(() => self.skipWaiting()));
});

self.addEventListener('activate', (event) => {
  const drop = async () => {
    for (const name of await caches.keys()) if (name.startsWith('ichor-') && name !== CACHE) await caches.delete(name);
    await self.clients.claim();
  };
  event.waitUntil(drop());
});

self.addEventListener('fetch', (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== 'GET' || url.origin !== self.location.origin || API.test(url.pathname)) return;
  event.respondWith(answer(request));
});

async function answer(request) {
  const cache = await caches.open(CACHE);
  try {
    const response = await fetch(request);
    if (response.ok) await cache.put(request, response.clone());
    return response;
  } catch (error) {
    const kept = await cache.match(request, { ignoreSearch: true });
    if (kept) return kept;
    throw error;
  }
}
