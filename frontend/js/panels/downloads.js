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
    /** Offers the kinds that the study allows, under its name; `uneven` slices do not fit NIfTI exactly. */
    show(name, kinds, uneven) {
      const stem = name.replace(/(\.nii)?\.[^.]+$/, '') || 'slice';
      list.replaceChildren(...kinds.map((kind) => button(kind, stem)),
        ...(uneven ? [element('p', { className: 'quiet' }, strings.downloads.uneven)] : []));
      panel.hidden = false;
    },
  };
}
