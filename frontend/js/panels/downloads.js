// Buttons that save results as files, which are created on demand.

import { byId, element } from '../dom.js';
import { strings } from '../strings.js';

const SUFFIX = { mask: '_mask.png', overlay: '_overlay.png', nifti: '_mask.nii.gz', dicom: '_seg.dcm', json: '_report.json', html: '_report.html' };

/** @param {{exporters: Record<string, () => Promise<Blob>>, onSaved: (name: string) => void, onFailure: (error: any, retry: () => void) => void}} options */
export function createDownloads({ exporters, onSaved, onFailure }) {
  const panel = byId('downloads');
  const list = byId('downloads-list');

  const save = async (kind, name) => {
    try {
      const blob = await exporters[kind]();
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
      element('strong', {}, strings.downloads[kind]), element('span', { className: 'secondary' }, strings.downloads[`${kind}Detail`]));
    node.addEventListener('click', () => save(kind, stem + SUFFIX[kind]));
    return node;
  };

  return {
    clear: () => { panel.hidden = true; },
    /** Offers `kinds` of files named after the study; `notes` are keys of texts. */
    show(name, kinds, notes) {
      const stem = name.replace(/(\.nii)?\.[^.]+$/, '') || 'slice';
      list.replaceChildren(...kinds.map((kind) => button(kind, stem)),
        ...notes.map((note) => element('p', { className: 'secondary' }, strings.downloads[note])),
        element('p', { className: 'secondary', id: 'save-slice-note', hidden: true }, strings.downloads.unreadableSlice));
      panel.hidden = false;
    },
    /** An unreadable slice has no mask to save. */
    setSliceReadable(isReadable) {
      for (const kind of ['mask', 'overlay']) {
        const node = byId(`save-${kind}`);
        if (!node) continue;
        node.disabled = !isReadable;
        byId('save-slice-note').hidden = isReadable;
        if (isReadable) node.removeAttribute('aria-describedby');
        else node.setAttribute('aria-describedby', 'save-slice-note');
      }
    },
  };
}
