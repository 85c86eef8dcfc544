// Finds the connected regions of a mask, as runs of pixels. The same steps as on the server: at or above the threshold,
// 8 neighbours, regions below the minimum size dropped, largest first.

/**
 * @param {Uint8Array} values one byte per pixel, row by row @param {number} width @param {number} height
 * @param {number} minValue 1 to 255 @param {number} minPixels @returns {Region[]}
 */
export function findRegions(values, width, height, minValue, minPixels = 0) {
  const { runs, sets } = findRuns(values, width, height, minValue);
  const byRoot = new Map();
  runs.forEach((run, at) => {
    const root = sets.find(at);
    if (byRoot.has(root)) byRoot.get(root).push(run);
    else byRoot.set(root, [run]);
  });
  const regions = [...byRoot.values()].map(describeRegion).filter(({ area }) => area >= minPixels);
  // The sort is stable: equal areas keep reading order.
  return regions.sort((a, b) => b.area - a.area);
}

/** @param {Uint8Array} values @param {number} width @param {number} height @param {number} minValue */
function findRuns(values, width, height, minValue) {
  /** @type {Run[]} */
  const runs = [];
  const sets = new DisjointSets();
  let previous = 0; // first run of the previous row
  let current = 0;
  for (let y = 0; y < height; y += 1) {
    current = runs.length;
    for (let x = 0, row = y * width; x < width; x += 1) {
      if (values[row + x] < minValue) continue;
      const first = x;
      while (x + 1 < width && values[row + x + 1] >= minValue) x += 1;
      runs.push([y, first, x]);
      sets.add();
    }
    unionRows(runs, previous, current, sets);
    previous = current;
  }
  return { runs, sets };
}

/** Joins runs of the current row with those of the previous row that touch by side or corner. @param {Run[]} runs @param {number} previous @param {number} current @param {DisjointSets} sets */
function unionRows(runs, previous, current, sets) {
  let from = previous;
  for (let at = current; at < runs.length; at += 1) {
    const [, first, last] = runs[at];
    while (from < current && runs[from][2] < first - 1) from += 1;
    for (let other = from; other < current && runs[other][1] <= last + 1; other += 1) sets.union(at, other);
  }
}

/** @param {Run[]} runs @returns {Region} */
function describeRegion(runs) {
  let [area, x, y] = [0, 0, 0];
  let [left, right] = [Infinity, -Infinity];
  for (const [row, first, last] of runs) {
    const length = last - first + 1;
    area += length;
    x += ((first + last) / 2) * length;
    y += row * length;
    left = Math.min(left, first);
    right = Math.max(right, last);
  }
  const [top] = runs[0];
  const bbox = { x: left, y: top, width: right - left + 1, height: runs[runs.length - 1][0] - top + 1 };
  return { runs, area, centroid: { x: x / area, y: y / area }, bbox };
}

/** Mean of `values` / 255 over the pixels of a region. @param {Region} region @param {Uint8Array | null} values @param {number} width */
export function meanProbability({ runs, area }, values, width) {
  if (!values) return 0;
  let sum = 0;
  for (const [row, first, last] of runs) {
    for (let at = row * width + first; at <= row * width + last; at += 1) sum += values[at];
  }
  return sum / area / 255;
}

/** Whether regions of adjacent slices touch by face, edge or corner; `[dx, dy]` maps pixels of a to b. @param {Region} a @param {Region} b @param {[number, number]} shift */
export function areAdjacent(a, b, [dx, dy] = [0, 0]) {
  const rows = new Map();
  for (const [row, first, last] of b.runs) {
    if (rows.has(row)) rows.get(row).push([first, last]);
    else rows.set(row, [[first, last]]);
  }
  return a.runs.some(([row, first, last]) => [-1, 0, 1].some((step) =>
    rows.get(row + dy + step)?.some((/** @type {number[]} */ [from, to]) => from <= last + dx + 1 && to >= first + dx - 1)));
}

/** Union-find with path halving (Tarjan and van Leeuwen 1984). */
export class DisjointSets {
  /** @type {number[]} */
  #parents = [];

  add() {
    this.#parents.push(this.#parents.length);
  }

  /** @param {number} member */
  find(member) {
    const parents = this.#parents;
    let at = member;
    while (parents[at] !== at) {
      parents[at] = parents[parents[at]];
      at = parents[at];
    }
    return at;
  }

  /** @param {number} a @param {number} b */
  union(a, b) {
    const [one, other] = [this.find(a), this.find(b)];
    this.#parents[Math.max(one, other)] = Math.min(one, other);
  }
}
