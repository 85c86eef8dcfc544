// Keeps the page available offline with a service worker, which never stores answers of the API.

/** Registers the worker after loading, so that the first view is not delayed. */
export function registerServiceWorker() {
  if (!('serviceWorker' in navigator)) return;
  const register = () => navigator.serviceWorker.register('sw.js').catch(() => { /* private windows refuse: no offline use */ });
  if (document.readyState === 'complete') register();
  else window.addEventListener('load', register, { once: true });
}
