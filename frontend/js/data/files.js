// What a visitor gave, as one body to send: a file as it is, several as a zip.

// Left behind by systems and scanners beside the slices.
const CLUTTER = /^(\.|__MACOSX|thumbs\.db$|desktop\.ini$|dicomdir$|lockfile$|version$)/i;
const MANY = /\.(zip|nii|nii\.gz|gz)$/i;

/** The files of a drop, folders included, each {file, path}. */
export async function droppedFiles(transfer) {
  const entries = [...(transfer?.items ?? [])].filter(({ kind }) => kind === 'file').map((item) => item.webkitGetAsEntry?.());
  if (!entries.some((entry) => entry?.isDirectory)) return [...(transfer?.files ?? [])];
  const found = [];
  for (const entry of entries) if (entry) await walk(entry, found);
  return found;
}

async function walk(entry, found) {
  if (CLUTTER.test(entry.name)) return;
  if (entry.isFile) return void found.push(await new Promise((resolve, reject) => { entry.file(resolve, reject); }));
  const reader = entry.createReader();
  for (;;) {
    // A reader gives a hundred at a time.
    const some = await new Promise((resolve, reject) => { reader.readEntries(resolve, reject); });
    if (!some.length) return;
    for (const one of some) await walk(one, found);
  }
}

/** `files` without clutter, in the order that people number them: slice 2 before slice 10. */
export function inOrder(files) {
  const named = new Intl.Collator('en', { numeric: true });
  const path = (file) => file.webkitRelativePath || file.name;
  return [...files].filter((file) => !CLUTTER.test(file.name)).sort((a, b) => named.compare(path(a), path(b)));
}

/** Whether a file may hold several slices. */
export const mayHoldMany = (file) => MANY.test(file.name) || /zip|gzip|nifti/.test(file.type);

/** One body of all: {body, several}. */
export async function asBody(files, options) {
  if (files.length === 1) return { body: files[0], several: mayHoldMany(files[0]) };
  const { zipFiles } = await import('./zip.js');
  return { body: await zipFiles(files, options), several: true };
}
