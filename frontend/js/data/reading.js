// What one model's answer says at one threshold: masks, lesions and sums, computed here from the probabilities.

import { connectLesions, pixelMm2 } from './lesions.js';
import { findRegions } from './regions.js';

// At most this long at a time, so that a slider never waits for the far slices of a series.
const BUDGET_MS = 12;

/**
 * `study.slices` hold geometry, `answer.slices` {probability, probabilities, mask, readout} by slice; `threshold` null is
 * the model's own, for which the server's masks are taken as they are. A slice without a probability was not understood
 * and is outlined at no threshold.
 */
export function createReading(study, answer, threshold) {
  const regions = [];
  let sums = null; // of the head; of separate pictures one each

  const compute = (at) => {
    const slice = study.slices[at];
    const part = answer.slices[at];
    if (!slice || !part) return undefined;
    if (part.probability === null || !part.readout?.open) return [];
    if (threshold === null && (answer.reports?.[at] ?? answer.report)?.hemorrhage?.detected === null) return [];
    if (threshold === null) return part.mask ? findRegions(part.mask, slice.width, slice.height, 1) : [];
    if (!part.probabilities) return [];
    // Probabilities come as 255ths, rounded.
    const least = Math.max(1, Math.round(threshold * 255));
    return findRegions(part.probabilities, slice.width, slice.height, least, part.readout.min_lesion_px);
  };
  const at = (index) => {
    if (regions[index] === undefined) regions[index] = compute(index);
    return regions[index];
  };
  const measure = (included = regions) => {
    const lesions = connectLesions(study.slices, included, (slice) => answer.slices[slice].probabilities);
    const all = (key) => (lesions.some((lesion) => lesion[key] === null) ? null : lesions.reduce((sum, lesion) => sum + lesion[key], 0));
    const areas = Array.from(study.slices, (slice, index) => (regions[index] ?? []).reduce((sum, { area }) => sum + area, 0));
    const known = study.slices.every((slice) => pixelMm2(slice) !== null && slice.extentMm !== null);
    return {
      lesions,
      areas,
      voxels: all('voxels') ?? 0,
      areaMm2: all('areaMm2'),
      volumeMl: known ? all('volumeMl') : null,
      keySlice: keySlice(areas, answer),
    };
  };

  return {
    threshold,
    /** Regions of one slice, at once; undefined where its answer has not come. */
    regions: at,
    /** Lesions and sums of the head, or of the separate picture at `index`; null while slices are still to be computed. */
    sumsAt: (index) => (study.pictures ? sums?.[index] : sums) ?? null,
    /** Computes what is left, a few milliseconds at a time; calls `done` when all is there. */
    finish(done, stopped = () => false) {
      const work = () => {
        if (stopped()) return;
        const until = performance.now() + BUDGET_MS;
        for (let index = 0; index < study.slices.length; index += 1) {
          if (regions[index] === undefined) at(index);
          if (performance.now() > until && index + 1 < study.slices.length) return void setTimeout(work);
        }
        sums = study.pictures ? regions.map((own, index) => measure(regions.map((_, at) => (at === index ? own : undefined)))) : measure();
        done();
      };
      work();
    },
    /** Forgets one slice, whose answer has come again. */
    forget(index) {
      regions[index] = undefined;
      sums = null;
    },
  };
}

/** The slice of the largest area, or without any the most probable one. */
function keySlice(areas, answer) {
  const most = Math.max(0, ...areas);
  if (most > 0) return areas.indexOf(most);
  const chances = Array.from(answer.slices, (slice) => slice?.probability ?? 0);
  return Math.max(0, chances.indexOf(Math.max(0, ...chances)));
}
