// What is chosen and what is known of it: short questions that many ask of the page.

/** `page`: the state, the session, the viewer and the widgets; see main.js. */
export function createChosen(page) {
  const { state } = page;
  const reading = (model = state.model) => page.session.reading(model.name);
  return {
    reading,
    regionsOf: (index) => reading()?.regions(index) ?? [],
    currentSlice: () => page.session.study?.slices[state.index],
    colorOf: (model) => model.classes[0].color,
    modelNamed: (name) => state.facts.models.find((model) => model.name === name),
    several: () => state.total > 1,
  };
}
