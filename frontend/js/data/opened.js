// What a visitor opened: in order, whether it is a set of pictures, and as one body to send.

import { CLUTTER } from './files.js';

const MANY = /\.(zip|nii|nii\.gz|gz)$/i;
const PICTURE = /\.(png|jpe?g|jfif|webp|tiff?|bmp|gif|heic|heif|avif)$/i;
// Beside slices, and never slices themselves.
const TEXT = /\.(txt|csv|tsv|json|xml|html?|pdf|md|docx?|xlsx?|rtf|log)$/i;

/** `files` without clutter, in the order that people number them: slice 2 before slice 10. */
export function inOrder(files) {
  const named = new Intl.Collator('en', { numeric: true });
  const path = (file) => file.webkitRelativePath || file.name;
  return [...files].filter((file) => !CLUTTER.test(file.name)).sort((a, b) => named.compare(path(a), path(b)));
}

/** Whether a file may hold several slices. */
export const mayHoldMany = (file) => MANY.test(file.name) || /zip|gzip|nifti/.test(file.type);

const isPicture = ({ name, type = '' }) => PICTURE.test(name) || /^image\/(?!dicom)/.test(type);

/**
 * The pictures among `files`, in their order, where they are several and nothing else can be a slice; else null. Only
 * pictures leave open whether they show one head: DICOM and NIfTI say so themselves.
 */
export async function pictureSet(files) {
  if (files.length === 1) return /\.zip$/i.test(files[0].name) || /zip/.test(files[0].type) ? picturesInZip(files[0]) : null;
  const pictures = [];
  for (const file of files) {
    if (isPicture(file) || (!TEXT.test(file.name) && await startsAsPicture(file))) pictures.push(file);
    else if (!TEXT.test(file.name)) return null;
  }
  return pictures.length > 1 ? pictures : null;
}

/** The first bytes of PNG, JPEG, TIFF, GIF, BMP and WebP, for files without an ending. */
async function startsAsPicture(file) {
  const bytes = new Uint8Array(await file.slice(0, 12).arrayBuffer());
  const text = String.fromCharCode(...bytes);
  return /^(\x89PNG|\xff\xd8\xff|II\*\0|MM\0\*|GIF8|BM|RIFF.{4}WEBP)/s.test(text);
}

/** The pictures of a zip as {name, open()}, or null as `pictureSet` has it; a zip that cannot be read is the server's to name. */
async function picturesInZip(zip) {
  const { zipEntries } = await import('./unzip.js');
  const entries = await zipEntries(zip).catch(() => []);
  return pictureEntries(entries);
}

function pictureEntries(entries) {
  const named = entries.map((entry) => ({ ...entry, parts: entry.path.split('/') })).filter(({ parts }) => parts.at(-1) && !parts.some((part) => CLUTTER.test(part)));
  const slices = named.map(({ parts, ...entry }) => ({ ...entry, name: parts.at(-1) })).filter(({ name }) => !TEXT.test(name));
  return slices.length > 1 && slices.every(isPicture) ? inOrder(slices.map((entry) => ({ ...entry, webkitRelativePath: entry.path }))) : null;
}

/** One body of all: {body, several}. */
export async function asBody(files, options) {
  if (files.length === 1) return { body: files[0], several: mayHoldMany(files[0]) };
  const { zipFiles } = await import('./zip.js');
  return { body: await zipFiles(files, options), several: true };
}
