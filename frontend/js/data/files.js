// What a visitor drops, folders included.

// Left behind by systems and scanners beside the slices.
export const CLUTTER = /^(\.|__MACOSX|thumbs\.db$|desktop\.ini$|dicomdir$|lockfile$|version$)/i;

/** The files of a drop, those in folders included. */
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
