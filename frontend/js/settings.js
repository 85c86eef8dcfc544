// What the visitor chose, kept in this browser. Nothing of an image is among it.

/** Reads a choice, or `otherwise` where there is none or storage is switched off. */
export function readSetting(name, otherwise) {
  try {
    return localStorage.getItem(`ichor.${name}`) ?? otherwise;
  } catch {
    return otherwise;
  }
}

export function keepSetting(name, value) {
  try {
    localStorage.setItem(`ichor.${name}`, value);
  } catch { /* storage is switched off: the choice holds until the page is left */ }
}
