// Three answers, not two: yes, no, and "not known", which the API writes as `null`.

/** Whether the input was not understood at all: no network ran, so there is no outline, probability or type. */
export const isUnreadable = (report) => report !== null && report !== undefined && (report.hemorrhage.probability ?? null) === null;

/** How many slices of a series were not understood. */
export const unreadSlices = (report) => (report.slices ?? []).filter(({ probability }) => (probability ?? null) === null).length;

const leavesOut = (report) => unreadSlices(report) > 0 || report.warnings.some(({ doubt }) => doubt === 'incomplete' || doubt === 'unreadable');

/** Whether all was analysed, but the chance is above the cut-off while nothing reaches the threshold. */
export const isUndecided = (report) => !isUnreadable(report) && report.hemorrhage.detected === null && !leavesOut(report)
  && report.warnings.some(({ doubt }) => doubt === 'undecided');

/** Whether part of the head was not analysed, so that nothing outlined does not mean "no". */
export const isIncomplete = (report) => !isUnreadable(report) && !isUndecided(report) && (report.hemorrhage.detected === null || leavesOut(report));

/** Whether the sizes in the file cannot be believed, so that nothing is measured in mm. */
export const isUnmeasurable = (report) => report.warnings.some(({ doubt }) => doubt === 'unmeasurable');

/** Whether hemorrhage is outlined: true, false, or null where "no" cannot be said. `moved`: not at the model's own threshold. */
export function detectedIn(report, outlined, moved) {
  if (isUnreadable(report) || (!moved && report.hemorrhage.detected === null)) return null;
  if (outlined) return true;
  return isIncomplete(report) || isUndecided(report) ? null : false;
}
