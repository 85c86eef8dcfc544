// Opening files: by click, as a folder, from the camera, by drop anywhere on the page, by paste.

import { droppedFiles } from '../data/files.js';
import { byId } from '../dom.js';
import { bytes, mediaTypeName } from '../format.js';
import { strings } from '../strings.js';

/** Calls `onFiles(files)` with what the visitor opens. */
export function createDropZone({ onFiles }) {
  const zone = byId('drop');
  const veil = byId('drop-veil');
  let facts = null;
  // dragenter and dragleave fire for every child crossed; the depth tells when the page itself is left.
  let depth = 0;
  const setOver = (over) => {
    zone.classList.toggle('over', over);
    veil.hidden = !over;
  };
  const holdsFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes('Files');
  const take = (files) => {
    if (files?.length) onFiles([...files]);
  };

  for (const input of ['file', 'folder', 'camera'].map(byId)) {
    input.addEventListener('change', () => {
      const files = [...input.files];
      input.value = ''; // so that the same file can be opened again
      take(files);
    });
  }
  byId('invite-choose').addEventListener('click', () => byId('file').click());
  document.addEventListener('dragenter', (event) => {
    if (!holdsFiles(event)) return;
    event.preventDefault();
    depth += 1;
    setOver(true);
  });
  document.addEventListener('dragleave', () => {
    depth = Math.max(0, depth - 1);
    setOver(depth > 0);
  });
  document.addEventListener('dragover', (event) => { if (holdsFiles(event)) event.preventDefault(); });
  document.addEventListener('drop', async (event) => {
    if (!holdsFiles(event)) return;
    event.preventDefault();
    depth = 0;
    setOver(false);
    take(await droppedFiles(event.dataTransfer));
  });
  document.addEventListener('paste', (event) => take(event.clipboardData?.files));

  const retext = () => {
    if (!facts) return;
    const { media_types: types, limits } = facts;
    const names = types.filter((type) => !/gzip/.test(type)).map(mediaTypeName);
    byId('drop-types').textContent = strings.open.types(names.join(', '), bytes(limits.max_upload_bytes ?? limits.max_body_bytes));
  };
  return {
    retext,
    /** Shows what the server takes. The dialog hides nothing: DICOM files often have no ending. */
    setFacts(next) {
      facts = next;
      retext();
    },
  };
}
