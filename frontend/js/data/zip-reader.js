// Reads the entries of a zip, stored or deflated. Layout: PKWARE APPNOTE 6.3.10, sections 4.3.7 to 4.3.16.

const END_BYTES = 22;
const MAX_COMMENT_BYTES = 0xffff;
const MAX_ENTRY_BYTES = 64 * 2 ** 20; // the server's limit for a decoded slice
const [STORED, DEFLATED] = [0, 8];
const ENCRYPTED = 1;

/** The files of `zip` in their order. Rejects with RangeError where it cannot be read. @param {Blob} zip @returns {Promise<{path: string, open(): Promise<File>}[]>} */
export async function readZip(zip) {
  const tail = await viewOf(zip, Math.max(0, zip.size - END_BYTES - MAX_COMMENT_BYTES), zip.size);
  let end = tail.byteLength - END_BYTES;
  while (end >= 0 && tail.getUint32(end, true) !== 0x06054b50) end -= 1;
  if (end < 0) throw new RangeError('no end of a zip');
  const [count, size, offset] = [tail.getUint16(end + 10, true), tail.getUint32(end + 12, true), tail.getUint32(end + 16, true)];
  if (offset + size > zip.size) throw new RangeError('the directory lies outside of the file'); // as with Zip64
  const directory = await viewOf(zip, offset, offset + size);
  const entries = [];
  for (let at = 0; entries.length < count; at += 46) {
    if (at + 46 > directory.byteLength || directory.getUint32(at, true) !== 0x02014b50) throw new RangeError('the directory is damaged');
    const uint16 = (/** @type {number} */ field) => directory.getUint16(at + field, true);
    const uint32 = (/** @type {number} */ field) => directory.getUint32(at + field, true);
    const path = new TextDecoder().decode(new Uint8Array(directory.buffer, at + 46, Math.min(uint16(28), directory.byteLength - at - 46)));
    const record = { flags: uint16(8), method: uint16(10), compressedSize: uint32(20), size: uint32(24), offset: uint32(42) };
    entries.push({ path, open: () => openEntry(zip, path, record) });
    at += uint16(28) + uint16(30) + uint16(32);
  }
  return entries.filter(({ path }) => !path.endsWith('/'));
}

/** @param {Blob} blob @param {number} from @param {number} to */
const viewOf = async (blob, from, to) => new DataView(await blob.slice(from, to).arrayBuffer());

/** @param {Blob} zip @param {string} path @param {Record<'flags' | 'method' | 'compressedSize' | 'size' | 'offset', number>} record */
async function openEntry(zip, path, { flags, method, compressedSize, size, offset }) {
  if (flags & ENCRYPTED || ![STORED, DEFLATED].includes(method)) throw new RangeError('the file is encrypted or compressed in an unknown way');
  if (size > MAX_ENTRY_BYTES || offset + 30 > zip.size) throw new RangeError('the file is too large or lies outside of the zip');
  const header = await viewOf(zip, offset, offset + 30);
  const start = offset + 30 + header.getUint16(26, true) + header.getUint16(28, true);
  const bytes = zip.slice(start, start + compressedSize);
  const parts = method === STORED ? [bytes] : await inflate(bytes, size);
  return new File(parts, path.split('/').at(-1) ?? path);
}

/** Unpacks no more than the size that the directory declares. @param {Blob} bytes @param {number} size */
async function inflate(bytes, size) {
  const reader = bytes.stream().pipeThrough(new DecompressionStream('deflate-raw')).getReader();
  const parts = [];
  let total = 0;
  for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) {
    total += chunk.value.length;
    if (total > size) {
      await reader.cancel();
      throw new RangeError('the file is larger than the zip says');
    }
    parts.push(chunk.value);
  }
  return parts;
}
