// Decodes grey PNG files. A canvas has 8 bits per channel, so 16-bit samples are decoded here.
// Layout: W3C, Portable Network Graphics (PNG) Specification, third edition.

const SIGNATURE = [137, 80, 78, 71, 13, 10, 26, 10];
const GREY = 0;

/**
 * Decodes a grey PNG without interlacing, 8 or 16 bit, as the API writes them. Rejects with RangeError.
 * @param {Uint8Array} bytes @returns {Promise<{width: number, height: number, samples: any}>} samples row by row
 */
export async function decodeGreyPng(bytes) {
  const { header, compressed } = readChunks(bytes);
  const view = new DataView(header.buffer, header.byteOffset, header.byteLength);
  const [width, height, depth, color, isInterlaced] = [view.getUint32(0), view.getUint32(4), header[8], header[9], header[12]];
  if (color !== GREY || isInterlaced || (depth !== 8 && depth !== 16)) throw new RangeError('not a plain grey PNG');
  const size = depth / 8;
  const stride = width * size;
  const rows = await inflate(compressed);
  if (rows.length < (stride + 1) * height) throw new RangeError('the PNG ends early');
  unfilter(rows, stride, height, size);
  return { width, height, samples: size === 1 ? readBytes(rows, stride, height) : readWords(rows, width, height) };
}

/** @param {Uint8Array} bytes */
function readChunks(bytes) {
  if (SIGNATURE.some((value, at) => bytes[at] !== value)) throw new RangeError('not a PNG');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const compressed = [];
  /** @type {Uint8Array | null} */
  let header = null;
  for (let at = 8; at + 12 <= bytes.length;) {
    const length = view.getUint32(at);
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    if (at + 12 + length > bytes.length) break;
    const data = bytes.subarray(at + 8, at + 8 + length);
    if (type === 'IHDR') header = data;
    if (type === 'IDAT') compressed.push(data);
    if (type === 'IEND') break;
    at += 12 + length;
  }
  if (header?.length !== 13) throw new RangeError('the PNG has no header');
  return { header, compressed };
}

/** @param {any[]} parts */
async function inflate(parts) {
  const stream = new Blob(parts).stream().pipeThrough(new DecompressionStream('deflate'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** Reverses the row filters in place (section 9): each row is a filter type and `stride` bytes. @param {Uint8Array} rows @param {number} stride @param {number} height @param {number} size */
function unfilter(rows, stride, height, size) {
  for (let y = 0; y < height; y += 1) {
    const start = y * (stride + 1) + 1;
    const previous = y ? start - stride - 1 : -1;
    FILTERS[rows[start - 1]]?.(rows, start, previous, stride, size);
  }
}

/**
 * By filter type: none, sub, up, average, Paeth. `previous` is -1 in the first row.
 * @type {(((rows: Uint8Array, start: number, previous: number, stride: number, size: number) => void) | null)[]}
 */
const FILTERS = [
  null,
  (rows, start, previous, stride, size) => {
    for (let at = start + size; at < start + stride; at += 1) rows[at] += rows[at - size];
  },
  (rows, start, previous, stride) => {
    if (previous < 0) return;
    for (let at = 0; at < stride; at += 1) rows[start + at] += rows[previous + at];
  },
  (rows, start, previous, stride, size) => {
    for (let at = 0; at < stride; at += 1) {
      const left = at < size ? 0 : rows[start + at - size];
      rows[start + at] += (left + (previous < 0 ? 0 : rows[previous + at])) >> 1;
    }
  },
  (rows, start, previous, stride, size) => {
    for (let at = 0; at < stride; at += 1) {
      const left = at < size ? 0 : rows[start + at - size];
      const up = previous < 0 ? 0 : rows[previous + at];
      const corner = at < size || previous < 0 ? 0 : rows[previous + at - size];
      rows[start + at] += paeth(left, up, corner);
    }
  },
];

/** The neighbour nearest to left + up - corner (section 9.4). @param {number} left @param {number} up @param {number} corner */
function paeth(left, up, corner) {
  const toLeft = Math.abs(up - corner);
  const toUp = Math.abs(left - corner);
  const toCorner = Math.abs(left + up - 2 * corner);
  if (toLeft <= toUp && toLeft <= toCorner) return left;
  return toUp <= toCorner ? up : corner;
}

/** @param {Uint8Array} rows @param {number} stride @param {number} height */
function readBytes(rows, stride, height) {
  const out = new Uint8Array(stride * height);
  for (let y = 0; y < height; y += 1) out.set(rows.subarray(y * (stride + 1) + 1, (y + 1) * (stride + 1)), y * stride);
  return out;
}

/** @param {Uint8Array} rows @param {number} width @param {number} height */
function readWords(rows, width, height) {
  const out = new Uint16Array(width * height);
  for (let y = 0, to = 0; y < height; y += 1) {
    for (let at = y * (2 * width + 1) + 1, x = 0; x < width; x += 1, at += 2, to += 1) out[to] = (rows[at] << 8) | rows[at + 1];
  }
  return out;
}
