// The page's own settings: language and appearance; and its two sheets.

import { byId, element } from '../dom.js';
import { keepSetting, readSetting } from '../settings.js';
import { language, LANGUAGES, preferredLanguage, setLanguage, strings } from '../strings.js';

const THEMES = ['system', 'light', 'dark'];

/** Calls `onLanguage()` when the sentences have changed, `onAbout()` and `onShortcuts()` for the sheets. */
export function createPageTools({ onLanguage, onAbout, onShortcuts }) {
  const [languages, themes] = ['language', 'theme'].map(byId);
  const option = (chosen) => ([value, label]) => element('option', { value, selected: value === chosen }, label);

  const retext = () => {
    languages.replaceChildren(...Object.entries(LANGUAGES).map(option(language())));
    themes.replaceChildren(...THEMES.map((theme) => [theme, strings.page.themes[theme]]).map(option(readSetting('theme', 'system'))));
    document.querySelector('meta[name="description"]').content = strings.description;
  };
  languages.addEventListener('change', async () => {
    keepSetting('language', languages.value);
    await setLanguage(languages.value);
    onLanguage();
  });
  themes.addEventListener('change', () => {
    keepSetting('theme', themes.value);
    if (themes.value === 'system') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = themes.value;
  });
  byId('about-open').addEventListener('click', onAbout);
  byId('shortcuts-open').addEventListener('click', onShortcuts);

  return {
    retext,
    /** Speaks the visitor's language from the start; resolves at once for English. */
    start: () => setLanguage(readSetting('language', preferredLanguage())),
  };
}
