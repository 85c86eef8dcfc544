// The page without a network: a service worker keeps its files. The API is never kept.

/** Registers the worker once the page has loaded, so that the first view is not held up. */
export function keepForOffline() {
  if (!('serviceWorker' in navigator)) return;
  const register = () => navigator.serviceWorker.register('sw.js').catch(() => { /* private windows refuse: no offline use */ });
  if (document.readyState === 'complete') register();
  else window.addEventListener('load', register, { once: true });
}
