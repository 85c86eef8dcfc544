// Settings of the page (language, appearance) and the buttons of its two dialogs.

import { byId, element } from '../dom.js';
import { saveSetting, readSetting } from '../settings.js';
import { language, LANGUAGES, preferredLanguage, setLanguage, strings } from '../strings.js';

const THEMES = ['system', 'light', 'dark'];

/** @param {{onLanguage: () => void, onAbout: () => void, onShortcuts: () => void}} listeners */
export function createPageSettings({ onLanguage, onAbout, onShortcuts }) {
  const [languages, themes] = ['language', 'theme'].map(byId);
  const option = (selected) => (/** @type {string[]} */ [value, label]) => element('option', { value, selected: value === selected }, label);

  const updateTexts = () => {
    languages.replaceChildren(...Object.entries(LANGUAGES).map(option(language())));
    themes.replaceChildren(...THEMES.map((theme) => [theme, strings.page.themes[theme]]).map(option(readSetting('theme', 'system'))));
    document.querySelector('meta[name="description"]')?.setAttribute('content', strings.description);
  };
  languages.addEventListener('change', async () => {
    saveSetting('language', languages.value);
    await setLanguage(languages.value);
    onLanguage();
  });
  themes.addEventListener('change', () => {
    saveSetting('theme', themes.value);
    if (themes.value === 'system') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = themes.value;
  });
  byId('about-open').addEventListener('click', onAbout);
  byId('shortcuts-open').addEventListener('click', onShortcuts);

  return {
    updateTexts,
    /** Loads the visitor's language; nothing to load for English. */
    start: () => setLanguage(readSetting('language', preferredLanguage())),
  };
}
