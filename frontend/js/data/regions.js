// Connected regions of a mask, as runs of pixels: what is drawn, measured and counted. The same steps as the
// server's: at or above the threshold, 8 neighbours, regions below the smallest size dropped, largest first.

/**
 * Regions of `values` (a byte a pixel, row by row) at or above `least` (1..255) with `smallest` pixels or more.
 * Each: {runs: [[row, first column, last column], …], area, centroid: {x, y}, bbox: {x, y, width, height}}.
 */
export function findRegions(values, width, height, least, smallest = 0) {
  const { runs, sets } = connectedRuns(values, width, height, least);
  const byRoot = new Map();
  runs.forEach((run, at) => {
    const root = sets.root(at);
    if (byRoot.has(root)) byRoot.get(root).push(run);
    else byRoot.set(root, [run]);
  });
  const regions = [...byRoot.values()].map(measure).filter(({ area }) => area >= smallest);
  // The sort is stable: equal areas keep reading order.
  return regions.sort((a, b) => b.area - a.area);
}

function connectedRuns(values, width, height, least) {
  const runs = [];
  const sets = new DisjointSets();
  let above = 0; // the first run of the row before
  let here = 0;
  for (let y = 0; y < height; y += 1) {
    here = runs.length;
    for (let x = 0, row = y * width; x < width; x += 1) {
      if (values[row + x] < least) continue;
      const first = x;
      while (x + 1 < width && values[row + x + 1] >= least) x += 1;
      runs.push([y, first, x]);
      sets.add();
    }
    joinRows(runs, above, here, sets);
    above = here;
  }
  return { runs, sets };
}

/** Joins the runs from `here` on with those of the row before, from `above` to `here`, that touch by side or corner. */
function joinRows(runs, above, here, sets) {
  let from = above;
  for (let at = here; at < runs.length; at += 1) {
    const [, first, last] = runs[at];
    while (from < here && runs[from][2] < first - 1) from += 1;
    for (let other = from; other < here && runs[other][1] <= last + 1; other += 1) sets.join(at, other);
  }
}

function measure(runs) {
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
  const bbox = { x: left, y: top, width: right - left + 1, height: runs.at(-1)[0] - top + 1 };
  return { runs, area, centroid: { x: x / area, y: y / area }, bbox };
}

/** Mean of `values` / 255 over a region's pixels. */
export function meanProbability({ runs, area }, values, width) {
  let sum = 0;
  for (const [row, first, last] of runs) {
    for (let at = row * width + first; at <= row * width + last; at += 1) sum += values[at];
  }
  return sum / area / 255;
}

/** Whether two regions of neighbouring slices touch by face, edge or corner; `[dx, dy]` maps a's pixels onto b's. */
export function touch(a, b, [dx, dy] = [0, 0]) {
  const rows = new Map();
  for (const [row, first, last] of b.runs) {
    if (rows.has(row)) rows.get(row).push([first, last]);
    else rows.set(row, [[first, last]]);
  }
  return a.runs.some(([row, first, last]) => [-1, 0, 1].some((step) =>
    rows.get(row + dy + step)?.some(([from, to]) => from <= last + dx + 1 && to >= first + dx - 1)));
}

/** Union-find with path halving (Tarjan and van Leeuwen 1984). */
export class DisjointSets {
  #parents = [];

  add() {
    this.#parents.push(this.#parents.length);
  }

  root(member) {
    const parents = this.#parents;
    let at = member;
    while (parents[at] !== at) {
      parents[at] = parents[parents[at]];
      at = parents[at];
    }
    return at;
  }

  join(a, b) {
    const [one, other] = [this.root(a), this.root(b)];
    this.#parents[Math.max(one, other)] = Math.min(one, other);
  }
}
