// Opening a file: by click, by drop anywhere on the page, by paste.

import { byId } from './dom.js';
import { bytes, mediaTypeName } from './format.js';
import { strings } from './strings.js';

/** Calls `onFile(file)` for each file that the visitor opens. */
export function createDropZone({ onFile }) {
  const zone = byId('drop');
  const input = byId('file');
  // dragenter and dragleave fire for every child crossed; the depth tells when the page itself is left.
  let depth = 0;
  const setOver = (over) => zone.classList.toggle('over', over);

  const take = (files) => {
    if (files?.length) onFile(files[0]);
  };

  input.addEventListener('change', () => {
    take(input.files);
    input.value = ''; // so that the same file can be opened again
  });
  document.addEventListener('dragenter', (event) => {
    event.preventDefault();
    depth += 1;
    setOver(true);
  });
  document.addEventListener('dragleave', () => {
    depth = Math.max(0, depth - 1);
    setOver(depth > 0);
  });
  document.addEventListener('dragover', (event) => event.preventDefault());
  document.addEventListener('drop', (event) => {
    event.preventDefault();
    depth = 0;
    setOver(false);
    take(event.dataTransfer?.files);
  });
  document.addEventListener('paste', (event) => take(event.clipboardData?.files));

  return {
    /** Shows what the server takes. */
    setFacts({ media_types: mediaTypes, limits }) {
      input.accept = mediaTypes.join(',');
      const names = mediaTypes.filter((type) => /^image\/|\/dicom$/.test(type)).map(mediaTypeName);
      byId('drop-types').textContent = strings.open.types(names.join(', '), bytes(limits.max_body_bytes));
    },
  };
}
