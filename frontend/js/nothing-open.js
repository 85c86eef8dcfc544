// What stands for the session and the viewer until something is opened: the first view does without their code.

/** A session with nothing in it; it keeps the thresholds that the visitor moves. */
export const nothingOpen = (thresholds) => ({
  study: null,
  close() {},
  hasAnswer: () => false,
  answer: () => null,
  report: () => null,
  doubt: () => null,
  dropPart() {},
  reading: () => null,
  threshold: (name) => thresholds.get(name) ?? null,
  setThreshold(name, value) {
    if (value === null) thresholds.delete(name);
    else thresholds.set(name, value);
  },
});

const nothing = () => {};

/** A viewer that shows nothing. */
export const noViewer = {
  show: nothing, fit: nothing, zoom: nothing, move: nothing, center: nothing,
  ruler: { active: false, toggle: nothing, leave: nothing, set: nothing, move: nothing },
};
