// The visitor's settings, stored in this browser. No data of images is stored.

/** Reads a setting; `fallback` where there is none or storage is disabled. @param {string} name @param {string} fallback */
export function readSetting(name, fallback) {
  try {
    return localStorage.getItem(`ichor.${name}`) ?? fallback;
  } catch {
    return fallback;
  }
}

/** @param {string} name @param {string} value */
export function saveSetting(name, value) {
  try {
    localStorage.setItem(`ichor.${name}`, value);
  } catch { /* storage is disabled: the setting lasts until the page is closed */ }
}
