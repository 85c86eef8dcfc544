// Mask and overlay as files, in the size of the input.

import { byId } from './dom.js';
import { imageBlob } from './slice-image.js';
import { strings } from './strings.js';

export function createDownloads() {
  const panel = byId('downloads');
  const links = { mask: byId('download-mask'), overlay: byId('download-overlay') };
  const names = { mask: strings.downloads.maskFile, overlay: strings.downloads.overlayFile };

  const clear = () => {
    panel.hidden = true;
    for (const link of Object.values(links)) {
      if (link.href) URL.revokeObjectURL(link.href);
      link.removeAttribute('href');
    }
  };

  return {
    clear,
    /** Offers a report's pictures under the name of the slice. */
    show(report, name) {
      clear();
      const stem = name.replace(/\.[^.]+$/, '') || 'slice';
      for (const [kind, link] of Object.entries(links)) {
        link.href = URL.createObjectURL(imageBlob(report[kind]));
        link.download = names[kind](stem);
      }
      panel.hidden = false;
    },
  };
}
