// Decides between three answers: yes, no, and no answer, which the API writes as `null`.

/** Whether nothing could be read: no network ran, so there is no mask, probability or type. @param {Report | null | undefined} report */
export const isUnreadable = (report) => report !== null && report !== undefined && (report.hemorrhage.probability ?? null) === null;

/** @param {Report} report */
export const countUnreadableSlices = (report) => (report.slices ?? []).filter(({ probability }) => (probability ?? null) === null).length;

/** @param {Report} report */
const hasMissingSlices = (report) => countUnreadableSlices(report) > 0 || report.warnings.some(({ doubt }) => doubt === 'incomplete' || doubt === 'unreadable');

/** Whether all was analyzed and the probability is above the cut-off, but no pixel reaches the threshold. @param {Report} report */
export const isUndecided = (report) => !isUnreadable(report) && report.hemorrhage.detected === null && !hasMissingSlices(report)
  && report.warnings.some(({ doubt }) => doubt === 'undecided');

/** Whether part of the head was not analyzed, so that an empty mask does not mean "no". @param {Report} report */
export const isIncomplete = (report) => !isUnreadable(report) && !isUndecided(report) && (report.hemorrhage.detected === null || hasMissingSlices(report));

/** Whether the sizes in the file are implausible, so that nothing is measured in mm. @param {Report} report */
export const isUnmeasurable = (report) => report.warnings.some(({ doubt }) => doubt === 'unmeasurable');

/** Whether hemorrhage is outlined; null where "no" would be wrong. @param {Report} report @param {boolean} isOutlined @param {boolean} isThresholdMoved whether the visitor set a threshold */
export function decideDetection(report, isOutlined, isThresholdMoved) {
  if (isUnreadable(report) || (!isThresholdMoved && report.hemorrhage.detected === null)) return null;
  if (isOutlined) return true;
  return isIncomplete(report) || isUndecided(report) ? null : false;
}
