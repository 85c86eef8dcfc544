// Lists the files of a drop, including those in folders.

// Files that operating systems and scanners leave beside the slices.
export const CLUTTER = /^(\.|__MACOSX|thumbs\.db$|desktop\.ini$|dicomdir$|lockfile$|version$)/i;

/** @param {DataTransfer | null} transfer @returns {Promise<File[]>} */
export async function listDroppedFiles(transfer) {
  const entries = [...(transfer?.items ?? [])].filter(({ kind }) => kind === 'file').map((item) => item.webkitGetAsEntry?.());
  if (!entries.some((entry) => entry?.isDirectory)) return [...(transfer?.files ?? [])];
  /** @type {File[]} */
  const files = [];
  for (const entry of entries) if (entry) await collectFiles(entry, files);
  return files;
}

/** @param {any} entry @param {File[]} files */
async function collectFiles(entry, files) {
  if (CLUTTER.test(entry.name)) return;
  if (entry.isFile) return void files.push(await new Promise((resolve, reject) => { entry.file(resolve, reject); }));
  const reader = entry.createReader();
  for (;;) {
    // A reader returns at most 100 entries per call.
    const batch = await new Promise((resolve, reject) => { reader.readEntries(resolve, reject); });
    if (!batch.length) return;
    for (const child of batch) await collectFiles(child, files);
  }
}
