// The gallery of synthetic sample slices, listed in samples/samples.json.

import { byId, element } from '../dom.js';
import { strings } from '../strings.js';

const FOLDER = 'samples/';
// Allows a line break in long labels on narrow tiles.
const breakLabel = (label) => label.split(/(?<=^Intra)/).flatMap((part, index) => (index ? [element('wbr'), part] : [part]));

/** @param {{onSample: (sample: Sample) => void}} listeners */
export function createGallery({ onSample }) {
  const list = byId('gallery');
  /** @type {HTMLButtonElement[]} */
  let buttons = [];

  const markPressed = (pressed) => {
    for (const button of buttons) button.setAttribute('aria-pressed', String(button === pressed));
  };

  const renderTile = (sample) => {
    const image = element('img', { src: FOLDER + sample.thumbnail, alt: '', width: 96, height: 96 });
    const button = element(
      'button',
      { type: 'button', className: 'sample', title: sample.detail, 'aria-pressed': 'false',
        'aria-label': strings.gallery.name(sample.label, sample.detail) },
      image,
      element('span', { className: 'sample-label' }, element('span', {}, ...breakLabel(sample.label))),
    );
    button.addEventListener('click', () => {
      markPressed(button);
      onSample({ ...sample, address: FOLDER + sample.file });
    });
    buttons.push(button);
    return element('li', {}, button);
  };

  return {
    async load() {
      try {
        const response = await fetch(`${FOLDER}samples.json`);
        if (!response.ok) throw new Error(`status ${response.status}`);
        const samples = await response.json();
        buttons = [];
        list.replaceChildren(...samples.map(renderTile));
      } catch {
        list.replaceChildren(element('li', { className: 'secondary wide' }, strings.gallery.failed));
      }
    },
    /** Opens the sample with this number. */
    choose: (number) => buttons[number]?.click(),
    /** Unmarks the sample, as when another file is opened. */
    clear: () => markPressed(null),
  };
}
