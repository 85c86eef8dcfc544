// The ICH score and the ABC/2 estimate, and what a report says of their inputs.
//
// Hemphill et al., Stroke 2001;32:891-897. Kothari et al., Stroke 1996;27:1304-1305.

/** 30-day mortality by score among the 152 patients of the original cohort; none had a score of 6. */
export const MORTALITY = [0, 0.13, 0.26, 0.72, 0.97, 1, null];

/** From this probability on, the type of a lesion is taken as given. */
const MIN_PROBABILITY = 0.5;
const INFRATENTORIAL = ['brainstem', 'cerebellum'];

/**
 * Points of each item, and their sum; null where an input is unknown.
 * @param {{gcs: Nullable<number>, age: Nullable<number>, volumeMl: Nullable<number>, hasIvh: Nullable<boolean>, isInfratentorial: Nullable<boolean>}} inputs
 */
export function ichScore({ gcs, age, volumeMl, hasIvh, isInfratentorial }) {
  /** @type {(value: any, rule: (value: any) => number) => Nullable<number>} */
  const points = (value, rule) => (value === null ? null : rule(value));
  const items = {
    gcs: points(gcs, (value) => (value <= 4 ? 2 : value <= 12 ? 1 : 0)),
    age: points(age, (value) => (value >= 80 ? 1 : 0)),
    volume: points(volumeMl, (value) => (value >= 30 ? 1 : 0)),
    ivh: points(hasIvh, Number),
    infratentorial: points(isInfratentorial, Number),
  };
  const values = Object.values(items);
  /** @type {Nullable<number>} */
  const total = values.some((value) => value === null) ? null : values.reduce((sum, value) => /** @type {number} */ (sum) + /** @type {number} */ (value), 0);
  return { items, total };
}

/** Volume in mL from three lengths in mm; null where one is unknown. @param {Nullable<number>[]} lengths @returns {Nullable<number>} */
export const abc2Ml = (lengths) => (lengths.some((mm) => mm === null) ? null : lengths.reduce((product, mm) => /** @type {number} */ (product) * /** @type {number} */ (mm), 1 / 2000));

/**
 * What the analysis knows of the inputs; null for the rest. Lesions whose type is not assessed leave blood in the ventricles
 * unknown.
 * @param {Nullable<Finding>} finding
 */
export function inputsOf(finding) {
  const unknown = { volumeMl: null, hasIvh: null, isInfratentorial: null, lengths: [null, null, null] };
  if (!finding || !finding.totals.lesions.length) return unknown;
  // At another threshold the lesions of the report are not those that are shown.
  const lesions = (finding.threshold === null && finding.report.volume?.lesions) || [];
  const typeOf = (lesion) => (lesion.type && lesion.type.probability >= MIN_PROBABILITY ? lesion.type.code : null);
  const types = lesions.map(typeOf);
  const parenchymal = lesions.filter((lesion) => typeOf(lesion) === 'IPH');
  const regions = parenchymal.map((lesion) => lesion.location?.region ?? null);
  const areTypesKnown = types.length > 0 && types.every(Boolean);
  const abc2 = (parenchymal[0] ?? lesions[0])?.abc2;
  return {
    volumeMl: areTypesKnown && parenchymal.length ? sumOf(parenchymal.map(({ volume_ml: ml }) => ml ?? null)) : finding.totals.volumeMl,
    hasIvh: types.includes('IVH') ? true : areTypesKnown ? false : null,
    isInfratentorial: regions.length && regions.every(Boolean) ? INFRATENTORIAL.includes(/** @type {string} */ (regions[0])) : null,
    lengths: abc2 ? [abc2.a_mm, abc2.b_mm, abc2.c_mm] : unknown.lengths,
  };
}

/** @param {Nullable<number>[]} values @returns {Nullable<number>} */
const sumOf = (values) => values.reduce((sum, value) => (sum === null || value === null ? null : sum + value), /** @type {Nullable<number>} */ (0));
