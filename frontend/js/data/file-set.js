// Sorts the opened files, finds out whether they are pictures, and packs them into one body.

import { CLUTTER } from './file-drop.js';

const MULTI_SLICE = /\.(zip|nii|nii\.gz|gz)$/i;
const PICTURE_NAME = /\.(png|jpe?g|jfif|webp|tiff?|bmp|gif|heic|heif|avif)$/i;
// Often beside slices, and never slices.
const TEXT_NAME = /\.(txt|csv|tsv|json|xml|html?|pdf|md|docx?|xlsx?|rtf|log)$/i;

/** `files` without clutter, in natural order: slice 2 before slice 10. @template {{name: string}} F @param {F[]} files @returns {F[]} */
export function sortFiles(files) {
  const collator = new Intl.Collator('en', { numeric: true });
  const path = (/** @type {any} */ file) => file.webkitRelativePath || file.name;
  return [...files].filter((file) => !CLUTTER.test(file.name)).sort((a, b) => collator.compare(path(a), path(b)));
}

/** @param {File} file */
export const mayHoldSeveralSlices = (file) => MULTI_SLICE.test(file.name) || /zip|gzip|nifti/.test(file.type);

/** @param {{name: string, type?: string}} file */
const isPicture = ({ name, type = '' }) => PICTURE_NAME.test(name) || /^image\/(?!dicom)/.test(type);

/**
 * The pictures among `files` where there are several and nothing else can be a slice; else null. Pictures do not state
 * whether they show one head; DICOM and NIfTI do.
 * @param {File[]} files @returns {Promise<any[] | null>}
 */
export async function findPictures(files) {
  if (files.length === 1) return /\.zip$/i.test(files[0].name) || /zip/.test(files[0].type) ? findPicturesInZip(files[0]) : null;
  const pictures = [];
  for (const file of files) {
    if (isPicture(file) || (!TEXT_NAME.test(file.name) && await hasPictureSignature(file))) pictures.push(file);
    else if (!TEXT_NAME.test(file.name)) return null;
  }
  return pictures.length > 1 ? pictures : null;
}

/** Whether a file starts as PNG, JPEG, TIFF, GIF, BMP or WebP, for names without an extension. @param {File} file */
async function hasPictureSignature(file) {
  const bytes = new Uint8Array(await file.slice(0, 12).arrayBuffer());
  const text = String.fromCharCode(...bytes);
  return /^(\x89PNG|\xff\xd8\xff|II\*\0|MM\0\*|GIF8|BM|RIFF.{4}WEBP)/s.test(text);
}

/** The pictures of a zip as {name, open()}, or null; the server reports a zip that cannot be read. @param {File} zip */
async function findPicturesInZip(zip) {
  const { readZip } = await import('./zip-reader.js');
  const entries = await readZip(zip).catch(() => []);
  return selectPictures(entries);
}

/** @param {{path: string, open(): Promise<File>}[]} entries */
function selectPictures(entries) {
  const isClutter = (/** @type {string} */ path) => path.split('/').some((part) => CLUTTER.test(part));
  const slices = entries.filter(({ path }) => !path.endsWith('/') && !isClutter(path))
    .map((entry) => ({ ...entry, name: /** @type {string} */ (entry.path.split('/').at(-1)) })).filter(({ name }) => !TEXT_NAME.test(name));
  return slices.length > 1 && slices.every(isPicture) ? sortFiles(slices.map((entry) => ({ ...entry, webkitRelativePath: entry.path }))) : null;
}

/** One body that holds all files. @param {File[]} files @param {{onFile?: (done: number) => void, signal?: AbortSignal}} options */
export async function packFiles(files, options) {
  if (files.length === 1) return { body: files[0], mayHoldSeveral: mayHoldSeveralSlices(files[0]) };
  const { writeZip } = await import('./zip-writer.js');
  return { body: await writeZip(files, options), mayHoldSeveral: true };
}
