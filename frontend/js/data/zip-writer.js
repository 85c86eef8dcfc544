// Packs files into one stored zip. No compression: slices are compressed already, or small compared with the network's wait.
// Layout: PKWARE APPNOTE 6.3.10, sections 4.3.7 to 4.3.16.

const STORED = 20; // version 2.0
const MAX_BYTES = 0xffffffff; // more needs Zip64

/** @type {Uint32Array | null} */
let table = null;
function createCrcTable() {
  return Uint32Array.from({ length: 256 }, (_, byte) => {
    let value = byte;
    for (let bit = 0; bit < 8; bit += 1) value = (value >>> 1) ^ (value & 1 ? 0xedb88320 : 0);
    return value;
  });
}

/** CRC-32 (ISO 3309). @param {Uint8Array} bytes */
export function crc32(bytes) {
  table ??= createCrcTable();
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (crc >>> 8) ^ table[(crc ^ byte) & 0xff];
  return (crc ^ 0xffffffff) >>> 0;
}

/**
 * A zip of `files` in their order. Entries are numbered, since file names may contain the patient's name. Rejects with
 * RangeError beyond 4 GiB.
 * @param {File[]} files @param {{onFile?: (done: number) => void, signal?: AbortSignal}} options
 */
export async function writeZip(files, { onFile = () => {}, signal } = {}) {
  /** @type {any[]} */
  const parts = [];
  /** @type {any[]} */
  const directory = [];
  let offset = 0;
  for (const [at, file] of files.entries()) {
    signal?.throwIfAborted();
    const bytes = new Uint8Array(await file.arrayBuffer());
    const name = new TextEncoder().encode(entryName(at, file.name));
    const fields = { crc: crc32(bytes), size: bytes.length, name, offset };
    parts.push(localHeader(fields), name, file);
    directory.push(centralHeader(fields), name);
    offset += 30 + name.length + bytes.length;
    if (offset > MAX_BYTES || files.length > 0xffff) throw new RangeError('too much for one zip');
    onFile(at + 1);
  }
  const size = directory.reduce((sum, part) => sum + (part.byteLength ?? part.length), 0);
  return new Blob([...parts, ...directory, endRecord(files.length, size, offset)], { type: 'application/zip' });
}

/** Number and extension, such as `00007.dcm`. @param {number} at @param {string} name */
function entryName(at, name) {
  const extension = /\.[a-z0-9]{1,5}$/i.exec(name)?.[0].toLowerCase() ?? '';
  return String(at + 1).padStart(5, '0') + (/^\.\d+$/.test(extension) ? '' : extension);
}

/** @param {any} fields */
function localHeader({ crc, size, name }) {
  const view = new DataView(new ArrayBuffer(30));
  view.setUint32(0, 0x04034b50, true);
  view.setUint16(4, STORED, true);
  writeEntryFields(view, 10, { crc, size, name });
  return view.buffer;
}

/** @param {any} fields */
function centralHeader({ crc, size, name, offset }) {
  const view = new DataView(new ArrayBuffer(46));
  view.setUint32(0, 0x02014b50, true);
  view.setUint16(4, STORED, true);
  view.setUint16(6, STORED, true);
  writeEntryFields(view, 12, { crc, size, name });
  view.setUint32(42, offset, true);
  return view.buffer;
}

/** Time, date, CRC, sizes, length of the name. The date is always 1980-01-01, to send none of the scan. @param {DataView} view @param {number} at @param {any} fields */
function writeEntryFields(view, at, { crc, size, name }) {
  view.setUint16(at + 2, 0x21, true);
  view.setUint32(at + 4, crc, true);
  view.setUint32(at + 8, size, true);
  view.setUint32(at + 12, size, true);
  view.setUint16(at + 16, name.length, true);
}

/** @param {number} count @param {number} size @param {number} offset */
function endRecord(count, size, offset) {
  const view = new DataView(new ArrayBuffer(22));
  view.setUint32(0, 0x06054b50, true);
  view.setUint16(8, count, true);
  view.setUint16(10, count, true);
  view.setUint32(12, size, true);
  view.setUint32(16, offset, true);
  return view.buffer;
}
