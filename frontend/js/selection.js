// Look-ups of what is selected: the current slice, report and name.

/** @param {Page} page */
export function createSelection(page) {
  const { state } = page;
  const measurements = (model = state.model) => page.session.measurementsOf(model.name);
  return {
    measurements,
    /** Lesions and totals of the head, or of the current one of separate pictures. */
    totalsOf: (model = state.model) => measurements(model)?.totalsAt(state.index) ?? null,
    /** The report that covers the current slice, or null. */
    currentReport: (model = state.model) => (model ? page.session.report(model.name, state.index) : null),
    /** @param {number} index */
    regionsOf: (index) => measurements()?.regionsAt(index) ?? [],
    /** Why that report gives no answer: 'unreadable', 'incomplete' or null. */
    currentDoubt: (model = state.model) => (model ? page.session.doubt(model.name, state.index) : null),
    /** Name of the study, or of the current one of separate pictures. */
    currentName: () => page.session.study?.pictures?.[state.index].name ?? page.session.study?.name ?? '',
    currentSlice: () => page.session.study?.slices[state.index],
    /** @param {Model} model */
    colorOf: (model) => model.classes[0].color,
    /** @param {string} name */
    modelNamed: (name) => state.serverInfo.models.find((model) => model.name === name),
    hasSeveralSlices: () => state.total > 1,
  };
}
