// Empty stand-ins for the session and the viewer until something is opened, so that the first view needs less code.

/** A session without a study; it keeps the thresholds that the visitor sets. @param {Map<string, number>} thresholds @returns {Session} */
export const createEmptySession = (thresholds) => ({
  study: null,
  isUnevenlySpaced: false,
  open: async () => {},
  analyze: async () => {},
  close() {},
  hasResult: () => false,
  result: () => null,
  report: () => null,
  doubt: () => null,
  discardPartialResult() {},
  measurementsOf: () => null,
  threshold: (name) => thresholds.get(name) ?? null,
  setThreshold(name, value) {
    if (value === null) thresholds.delete(name);
    else thresholds.set(name, value);
  },
});

const doNothing = () => {};

/** A viewer that shows nothing. @type {Viewer} */
export const emptyViewer = {
  show: doNothing, fit: doNothing, zoom: doNothing, pan: doNothing, center: doNothing,
  ruler: { isActive: false, toggle: doNothing, close: doNothing, placePoint: doNothing, move: doNothing },
};
