// The sample gallery: synthetic slices, described by samples/samples.json.

import { byId, element } from '../dom.js';
import { strings } from '../strings.js';

const FOLDER = 'samples/';
// Where a long label may be broken on a narrow tile.
const breakable = (label) => label.split(/(?<=^Intra)/).flatMap((part, at) => (at ? [element('wbr'), part] : [part]));

/** Calls `onSample({file, label, detail})` with the address of the chosen sample in `file`. */
export function createGallery({ onSample }) {
  const list = byId('gallery');
  let buttons = [];

  const mark = (chosen) => {
    for (const button of buttons) button.setAttribute('aria-pressed', String(button === chosen));
  };

  const tile = (sample) => {
    const image = element('img', { src: FOLDER + sample.thumbnail, alt: '', width: 96, height: 96 });
    const button = element(
      'button',
      { type: 'button', className: 'sample', title: sample.detail, 'aria-pressed': 'false',
        'aria-label': strings.gallery.name(sample.label, sample.detail) },
      image,
      element('span', { className: 'sample-label' }, element('span', {}, ...breakable(sample.label))),
    );
    button.addEventListener('click', () => {
      mark(button);
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
        list.replaceChildren(...samples.map(tile));
      } catch {
        list.replaceChildren(element('li', { className: 'quiet wide' }, strings.gallery.failed));
      }
    },
    /** Opens the sample with this number. */
    choose: (number) => buttons[number]?.click(),
    /** Takes the mark away, as when a file of the visitor's own is opened. */
    clear: () => mark(null),
  };
}
