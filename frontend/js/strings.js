// The texts of the page in the visitor's language, from one table per language in strings/.

import english from './strings/en.js';

/** Languages by code, named in themselves; all but English are loaded on demand. @type {Record<string, string>} */
export const LANGUAGES = { en: 'English', de: 'Deutsch' };

/** The current texts; changed in place, so that references to a part stay valid. @type {any} */
export const strings = cloneStrings(english);

let current = 'en';
export const language = () => current;

/** structuredClone cannot clone functions. @param {any} value @returns {any} */
function cloneStrings(value) {
  if (Array.isArray(value)) return [...value];
  if (typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, cloneStrings(part)]));
}

/** Switches to a language; keeps the current one if its file cannot be loaded. @param {string} code */
export async function setLanguage(code) {
  if (!LANGUAGES[code] || code === current) return;
  try {
    const table = code === 'en' ? english : (await import(`./strings/${code}.js`)).default;
    overwrite(strings, table);
    current = code;
  } catch {
    return;
  }
  document.documentElement.lang = current;
}

/** @param {any} target @param {any} source */
function overwrite(target, source) {
  for (const [key, value] of Object.entries(source)) {
    if (typeof value === 'object' && !Array.isArray(value)) overwrite(target[key] ??= {}, value);
    else target[key] = value;
  }
  for (const key of Object.keys(target)) if (!(key in source)) delete target[key];
}

/** The first of the visitor's languages that the page has. */
export const preferredLanguage = () =>
  navigator.languages.map((tag) => tag.split('-')[0]).find((code) => LANGUAGES[code]) ?? 'en';

/** The text of a dotted key such as `open.title`. @param {string} key @returns {string} */
export function text(key) {
  const value = key.split('.').reduce((branch, part) => branch?.[part], strings);
  if (typeof value !== 'string') throw new Error(`no text named ${key}`);
  return value;
}

/** Sets the text of elements with `data-text`, the label of those with `data-label` and the tooltip of those with `data-title`. @param {any} root */
export function fillTexts(root) {
  for (const node of root.querySelectorAll('[data-label]')) node.setAttribute('aria-label', text(node.dataset.label));
  for (const node of root.querySelectorAll('[data-title]')) node.title = text(node.dataset.title);
  for (const node of root.querySelectorAll('[data-text]')) node.textContent = text(node.dataset.text);
}
