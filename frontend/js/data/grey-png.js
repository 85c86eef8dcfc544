// Grey PNG files to samples. A canvas gives 8 bits a channel, so 16-bit samples are read here.
// Layout: W3C, Portable Network Graphics (PNG) Specification, third edition.

const SIGNATURE = [137, 80, 78, 71, 13, 10, 26, 10];
const GREY = 0;

/**
 * Decodes a grey PNG without interlacing, 8 or 16 bit, as the API writes them.
 * Resolves to {width, height, samples}: Uint8Array or Uint16Array, row by row. Rejects with RangeError.
 */
export async function decodeGreyPng(bytes) {
  const { header, packed } = readChunks(bytes);
  const view = new DataView(header.buffer, header.byteOffset, header.byteLength);
  const [width, height, depth, color, interlaced] = [view.getUint32(0), view.getUint32(4), header[8], header[9], header[12]];
  if (color !== GREY || interlaced || (depth !== 8 && depth !== 16)) throw new RangeError('not a plain grey PNG');
  const size = depth / 8;
  const stride = width * size;
  const rows = await inflate(packed);
  if (rows.length < (stride + 1) * height) throw new RangeError('the PNG ends early');
  unfilter(rows, stride, height, size);
  return { width, height, samples: size === 1 ? bytesOf(rows, stride, height) : wordsOf(rows, width, height) };
}

function readChunks(bytes) {
  if (SIGNATURE.some((value, at) => bytes[at] !== value)) throw new RangeError('not a PNG');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const packed = [];
  let header = null;
  for (let at = 8; at + 12 <= bytes.length;) {
    const length = view.getUint32(at);
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    if (at + 12 + length > bytes.length) break;
    const data = bytes.subarray(at + 8, at + 8 + length);
    if (type === 'IHDR') header = data;
    if (type === 'IDAT') packed.push(data);
    if (type === 'IEND') break;
    at += 12 + length;
  }
  if (header?.length !== 13) throw new RangeError('the PNG has no header');
  return { header, packed };
}

async function inflate(parts) {
  const stream = new Blob(parts).stream().pipeThrough(new DecompressionStream('deflate'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** Undoes the row filters in place (section 9): each row is a filter type and `stride` bytes. */
function unfilter(rows, stride, height, size) {
  for (let y = 0; y < height; y += 1) {
    const start = y * (stride + 1) + 1;
    const above = y ? start - stride - 1 : -1;
    FILTERS[rows[start - 1]]?.(rows, start, above, stride, size);
  }
}

// By number of the filter: none, sub, up, average, Paeth. `above` is -1 in the first row.
const FILTERS = [
  null,
  (rows, start, above, stride, size) => {
    for (let at = start + size; at < start + stride; at += 1) rows[at] += rows[at - size];
  },
  (rows, start, above, stride) => {
    if (above < 0) return;
    for (let at = 0; at < stride; at += 1) rows[start + at] += rows[above + at];
  },
  (rows, start, above, stride, size) => {
    for (let at = 0; at < stride; at += 1) {
      const left = at < size ? 0 : rows[start + at - size];
      rows[start + at] += (left + (above < 0 ? 0 : rows[above + at])) >> 1;
    }
  },
  (rows, start, above, stride, size) => {
    for (let at = 0; at < stride; at += 1) {
      const left = at < size ? 0 : rows[start + at - size];
      const up = above < 0 ? 0 : rows[above + at];
      const corner = at < size || above < 0 ? 0 : rows[above + at - size];
      rows[start + at] += paeth(left, up, corner);
    }
  },
];

/** Whichever neighbour is nearest to left + up - corner (section 9.4). */
function paeth(left, up, corner) {
  const toLeft = Math.abs(up - corner);
  const toUp = Math.abs(left - corner);
  const toCorner = Math.abs(left + up - 2 * corner);
  if (toLeft <= toUp && toLeft <= toCorner) return left;
  return toUp <= toCorner ? up : corner;
}

function bytesOf(rows, stride, height) {
  const out = new Uint8Array(stride * height);
  for (let y = 0; y < height; y += 1) out.set(rows.subarray(y * (stride + 1) + 1, (y + 1) * (stride + 1)), y * stride);
  return out;
}

function wordsOf(rows, width, height) {
  const out = new Uint16Array(width * height);
  for (let y = 0, to = 0; y < height; y += 1) {
    for (let at = y * (2 * width + 1) + 1, x = 0; x < width; x += 1, at += 2, to += 1) out[to] = (rows[at] << 8) | rows[at + 1];
  }
  return out;
}
