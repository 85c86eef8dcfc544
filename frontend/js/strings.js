// The page's sentences in the visitor's language. Languages are files in strings/, one a language.

import english from './strings/en.js';

/** Languages by code, in their own words; all but English are loaded when asked for. */
export const LANGUAGES = { en: 'English', de: 'Deutsch' };

/** The sentences; changed in place, so that every holder of a part sees the new language. */
export const strings = structuredCloneOf(english);

let current = 'en';
export const language = () => current;

/** Functions cannot be cloned structurally. */
function structuredCloneOf(value) {
  if (Array.isArray(value)) return [...value];
  if (typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, structuredCloneOf(part)]));
}

/** Switches to a language, or stays with the one that is there if its file cannot be had. */
export async function setLanguage(code) {
  if (!LANGUAGES[code] || code === current) return;
  try {
    const chosen = code === 'en' ? english : (await import(`./strings/${code}.js`)).default;
    overwrite(strings, chosen);
    current = code;
  } catch {
    return;
  }
  document.documentElement.lang = current;
}

function overwrite(target, source) {
  for (const [key, value] of Object.entries(source)) {
    if (typeof value === 'object' && !Array.isArray(value)) overwrite(target[key] ??= {}, value);
    else target[key] = value;
  }
  for (const key of Object.keys(target)) if (!(key in source)) delete target[key];
}

/** The first of the visitor's languages that the page speaks. */
export const preferredLanguage = () =>
  navigator.languages.map((tag) => tag.split('-')[0]).find((code) => LANGUAGES[code]) ?? 'en';

/** The text under a dotted key such as `open.title`. */
export function text(key) {
  const value = key.split('.').reduce((branch, part) => branch?.[part], strings);
  if (typeof value !== 'string') throw new Error(`no text named ${key}`);
  return value;
}

/** Fills every element under `root` marked `data-text`, and names those marked `data-label`. */
export function fillTexts(root) {
  for (const node of root.querySelectorAll('[data-label]')) node.setAttribute('aria-label', text(node.dataset.label));
  for (const node of root.querySelectorAll('[data-title]')) node.title = text(node.dataset.title);
  for (const node of root.querySelectorAll('[data-text]')) node.textContent = text(node.dataset.text);
}
