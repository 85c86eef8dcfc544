// What is chosen and what is known of it: short questions that many ask of the page.

/** `page`: the state, the session, the viewer and the widgets; see main.js. */
export function createChosen(page) {
  const { state } = page;
  const reading = (model = state.model) => page.session.reading(model.name);
  return {
    reading,
    /** Lesions and sums of the head, or of the separate picture that is shown. */
    sumsOf: (model = state.model) => reading(model)?.sumsAt(state.index) ?? null,
    /** The report that speaks for what is shown, or null. */
    reportShown: (model = state.model) => (model ? page.session.report(model.name, state.index) : null),
    regionsOf: (index) => reading()?.regions(index) ?? [],
    /** What that report leaves open: 'unreadable', 'incomplete' or null. */
    doubtShown: (model = state.model) => (model ? page.session.doubt(model.name, state.index) : null),
    /** The name of what is shown: of separate pictures that of the picture. */
    nameShown: () => page.session.study?.pictures?.[state.index].name ?? page.session.study?.name ?? '',
    currentSlice: () => page.session.study?.slices[state.index],
    colorOf: (model) => model.classes[0].color,
    modelNamed: (name) => state.facts.models.find((model) => model.name === name),
    several: () => state.total > 1,
  };
}
