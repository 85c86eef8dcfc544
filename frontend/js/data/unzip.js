// Reads the entries of a zip, stored or deflated. Layout: PKWARE APPNOTE 6.3.10, sections 4.3.7 to 4.3.16.

const END_BYTES = 22;
const MAX_COMMENT_BYTES = 0xffff;
const MAX_ENTRY_BYTES = 64 * 2 ** 20; // as much as the server decodes of a slice
const [STORED, DEFLATED] = [0, 8];
const ENCRYPTED = 1;

/** The files of `zip` in its own order: {path, open()}, where `open` resolves to a File. Rejects with RangeError where it is no zip that can be read here. */
export async function zipEntries(zip) {
  const tail = await viewOf(zip, Math.max(0, zip.size - END_BYTES - MAX_COMMENT_BYTES), zip.size);
  let end = tail.byteLength - END_BYTES;
  while (end >= 0 && tail.getUint32(end, true) !== 0x06054b50) end -= 1;
  if (end < 0) throw new RangeError('no end of a zip');
  const [count, size, offset] = [tail.getUint16(end + 10, true), tail.getUint32(end + 12, true), tail.getUint32(end + 16, true)];
  if (offset + size > zip.size) throw new RangeError('the directory lies outside of the file'); // Zip64 too
  const directory = await viewOf(zip, offset, offset + size);
  const entries = [];
  for (let at = 0; entries.length < count; at += 46) {
    if (at + 46 > directory.byteLength || directory.getUint32(at, true) !== 0x02014b50) throw new RangeError('the directory is damaged');
    const short = (place) => directory.getUint16(at + place, true);
    const long = (place) => directory.getUint32(at + place, true);
    const path = new TextDecoder().decode(new Uint8Array(directory.buffer, at + 46, Math.min(short(28), directory.byteLength - at - 46)));
    const record = { flags: short(8), method: short(10), packed: long(20), size: long(24), offset: long(42) };
    entries.push({ path, open: () => openEntry(zip, path, record) });
    at += short(28) + short(30) + short(32);
  }
  return entries.filter(({ path }) => !path.endsWith('/'));
}

const viewOf = async (blob, from, to) => new DataView(await blob.slice(from, to).arrayBuffer());

async function openEntry(zip, path, { flags, method, packed, size, offset }) {
  if (flags & ENCRYPTED || ![STORED, DEFLATED].includes(method)) throw new RangeError('the file is encrypted or packed in an unknown way');
  if (size > MAX_ENTRY_BYTES || offset + 30 > zip.size) throw new RangeError('the file is too large or lies outside of the zip');
  const header = await viewOf(zip, offset, offset + 30);
  const start = offset + 30 + header.getUint16(26, true) + header.getUint16(28, true);
  const bytes = zip.slice(start, start + packed);
  const parts = method === STORED ? [bytes] : await inflated(bytes, size);
  return new File(parts, path.split('/').at(-1));
}

/** The size that the directory declares is the most that is unpacked. */
async function inflated(bytes, size) {
  const reader = bytes.stream().pipeThrough(new DecompressionStream('deflate-raw')).getReader();
  const parts = [];
  let total = 0;
  for (let step = await reader.read(); !step.done; step = await reader.read()) {
    total += step.value.length;
    if (total > size) {
      await reader.cancel();
      throw new RangeError('the file is larger than the zip says');
    }
    parts.push(step.value);
  }
  return parts;
}
