// The gallery of synthetic sample slices, listed in samples/samples.json.

import { byId, element } from '../dom.js';
import { strings } from '../strings.js';

const FOLDER = 'samples/';

/** Allows a line break in long labels on narrow tiles. @param {string} label */
const breakLabel = (label) => label.split(/(?<=^Intra)/).flatMap((part, index) => (index ? [element('wbr'), part] : [part]));

/** @param {{onSample: (sample: Sample) => void}} listeners */
export function createGallery({ onSample }) {
  const list = byId('gallery');
  /** @type {Sample[]} */
  let samples = [];
  /** @type {Sample | null} */
  let selected = null;

  const open = (/** @type {Sample} */ sample) => {
    selected = sample;
    render();
    onSample({ ...sample, label: strings.gallery.label(sample.label), address: FOLDER + sample.file });
  };

  const renderTile = (/** @type {Sample} */ sample) => {
    const label = strings.gallery.label(sample.label);
    const button = element('button',
      { type: 'button', className: 'sample', title: sample.detail, 'aria-pressed': String(sample === selected), 'aria-label': strings.gallery.name(label, sample.detail) },
      element('img', { src: FOLDER + sample.thumbnail, alt: '', width: 96, height: 96 }),
      element('span', { className: 'sample-label' }, element('span', {}, ...breakLabel(label))));
    button.addEventListener('click', () => open(sample));
    return element('li', {}, button);
  };

  const render = () => {
    const focused = [...list.querySelectorAll('button')].indexOf(document.activeElement);
    list.replaceChildren(...samples.map(renderTile));
    // Replacing the focused button would lose the focus.
    if (focused >= 0) list.querySelectorAll('button')[focused].focus();
  };

  return {
    async load() {
      try {
        const response = await fetch(`${FOLDER}samples.json`);
        if (!response.ok) throw new Error(`status ${response.status}`);
        samples = await response.json();
        render();
      } catch {
        list.replaceChildren(element('li', { className: 'secondary wide' }, strings.gallery.failed));
      }
    },
    /** Opens the sample for first-time visitors. */
    openFeatured() {
      const featured = samples.find(({ isFeatured }) => isFeatured);
      if (featured) open(featured);
    },
    /** Unmarks the sample, as when another file is opened. */
    clear() {
      selected = null;
      render();
    },
    updateTexts: render,
  };
}
