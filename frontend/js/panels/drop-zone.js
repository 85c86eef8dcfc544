// Opens files by click, folder, camera, paste, or drop anywhere on the page.

import { listDroppedFiles } from '../data/file-drop.js';
import { byId } from '../dom.js';
import { bytes, formatName } from '../format.js';
import { strings } from '../strings.js';

/** @param {{onFiles: (files: File[]) => void}} listeners */
export function createDropZone({ onFiles }) {
  const zone = byId('drop');
  const overlay = byId('drop-overlay');
  /** @type {ServerInfo | null} */
  let serverInfo = null;
  // dragenter and dragleave fire for every child; at depth 0 the page itself was left.
  let depth = 0;
  const setOver = (over) => {
    zone.classList.toggle('over', over);
    overlay.hidden = !over;
  };
  const hasFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes('Files');
  const openFiles = (files) => {
    if (files?.length) onFiles([...files]);
  };

  for (const input of ['file', 'folder', 'camera'].map(byId)) {
    input.addEventListener('change', () => {
      const files = [...input.files];
      input.value = ''; // so that the same file can be opened again
      openFiles(files);
    });
  }
  byId('welcome-choose').addEventListener('click', () => byId('file').click());
  document.addEventListener('dragenter', (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    depth += 1;
    setOver(true);
  });
  document.addEventListener('dragleave', () => {
    depth = Math.max(0, depth - 1);
    setOver(depth > 0);
  });
  document.addEventListener('dragover', (event) => { if (hasFiles(event)) event.preventDefault(); });
  document.addEventListener('drop', async (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    depth = 0;
    setOver(false);
    openFiles(await listDroppedFiles(event.dataTransfer));
  });
  document.addEventListener('paste', (event) => openFiles(event.clipboardData?.files));

  const updateTexts = () => {
    if (!serverInfo) return;
    const { media_types: types, limits } = serverInfo;
    // Formats with sizes and Hounsfield units first.
    const names = types.filter((type) => !/gzip/.test(type)).sort((a, b) => Number(/^image/.test(a)) - Number(/^image/.test(b))).map(formatName);
    byId('drop-types').textContent = strings.open.types(names.join(', '), bytes(limits.max_upload_bytes ?? limits.max_body_bytes));
  };
  return {
    updateTexts,
    /** Shows the accepted formats. The file dialog filters none: DICOM files often have no extension. */
    setServerInfo(next) {
      serverInfo = next;
      updateTexts();
    },
  };
}
