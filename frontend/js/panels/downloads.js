// Buttons that save what was found. Each file is made when it is asked for.

import { byId, element } from '../dom.js';
import { strings } from '../strings.js';

const ENDING = { mask: '_mask.png', overlay: '_overlay.png', nifti: '_mask.nii.gz', dicom: '_seg.dcm', json: '_report.json' };

/** Calls `make[kind]()` for a Blob; `onSaved(name)` and `onFailure(error, again)` hear how it went. */
export function createDownloads({ make, onSaved, onFailure }) {
  const panel = byId('downloads');
  const list = byId('downloads-list');

  const save = async (kind, name) => {
    try {
      const blob = await make[kind]();
      const address = URL.createObjectURL(blob);
      element('a', { href: address, download: name }).click();
      setTimeout(() => URL.revokeObjectURL(address), 10_000);
      onSaved(name);
    } catch (error) {
      onFailure(error, () => save(kind, name));
    }
  };
  const button = (kind, stem) => {
    const node = element('button', { type: 'button', id: `save-${kind}` },
      element('strong', {}, strings.downloads[kind]), element('span', { className: 'quiet' }, strings.downloads[`${kind}Detail`]));
    node.addEventListener('click', () => save(kind, stem + ENDING[kind]));
    return node;
  };

  return {
    clear: () => { panel.hidden = true; },
    /** Offers the kinds that the study allows, under its name; `notes` by their names in the texts. */
    show(name, kinds, notes) {
      const stem = name.replace(/(\.nii)?\.[^.]+$/, '') || 'slice';
      list.replaceChildren(...kinds.map((kind) => button(kind, stem)),
        ...notes.map((note) => element('p', { className: 'quiet' }, strings.downloads[note])),
        element('p', { className: 'quiet', id: 'save-slice-note', hidden: true }, strings.downloads.unreadSlice));
      panel.hidden = false;
    },
    /** Whether the slice that is shown was understood: of one that was not, there is no mask to save. */
    setSliceRead(read) {
      for (const kind of ['mask', 'overlay']) {
        const node = byId(`save-${kind}`);
        if (!node) continue;
        node.disabled = !read;
        byId('save-slice-note').hidden = read;
        if (read) node.removeAttribute('aria-describedby');
        else node.setAttribute('aria-describedby', 'save-slice-note');
      }
    },
  };
}
