// Shows the slice and the findings that are chosen, by whatever is known of them.

import { byId } from './dom.js';
import { strings } from './strings.js';

export function createShowing(page) {
  const { state, findings, marks, strip, threshold } = page;
  const { reading, currentSlice, colorOf, modelNamed, several } = page;

  /** One pane's content: what a model outlines on the slice that is shown. */
  function paneOf(model) {
    const read = reading(model);
    const regions = read?.regions(state.index) ?? [];
    const idOf = (region, at) => read?.sums?.lesions.find(({ parts }) => parts.some((part) => part.region === region))?.id ?? at + 1;
    return {
      title: model.title,
      color: colorOf(model),
      regions,
      ids: regions.map(idOf),
      probabilities: page.session.answer(model.name)?.slices[state.index]?.probabilities ?? null,
    };
  }

  function panesOf() {
    const main = paneOf(state.model);
    const { beside } = marks;
    if (!beside) return [main];
    return beside.plain ? [{ ...main, title: strings.viewer.comparePlain, regions: [], ids: [], bare: true }, main] : [main, paneOf(modelNamed(beside.model))];
  }

  function render() {
    const { session, viewer } = page;
    const slice = currentSlice();
    if (!session.study || !state.window) {
      viewer.show(null);
      strip.show({ total: 0, index: 0 });
      byId('caption').textContent = session.study?.name ?? '';
      return;
    }
    const { slices } = session.answer(state.model.name);
    const read = reading();
    const areas = Array.from({ length: state.total }, (_, at) => (read?.regions(at) ?? []).reduce((sum, { area }) => sum + area, 0));
    const position = several() ? strings.slices.of(state.index + 1, state.total) : '';
    viewer.show({ name: session.study.name, slice, position, several: several(), window: state.window, marks: marks.marks, chosen: state.chosen, panes: panesOf() });
    strip.show({ total: state.total, index: state.index, areas, known: Array.from(areas, (_, at) => Boolean(slices[at])), color: colorOf(state.model), keySlice: read?.sums?.keySlice ?? null });
    byId('three-d').hidden = !(several() && session.hasAnswer(state.model.name));
    byId('caption').textContent = slice ? strings.viewer.caption(session.study.name, slice.width, slice.height) : session.study.name;
    threshold.note(slices[state.index]?.readout?.open === false);
  }

  function findingOf(model) {
    const { session } = page;
    const report = session.answer(model.name)?.report;
    const sums = reading(model)?.sums;
    return report && sums ? { report, sums, threshold: session.threshold(model.name), several: Boolean(report.series), title: model.title } : null;
  }

  function renderFindings(announce = false) {
    const finding = state.model && findingOf(state.model);
    if (!finding) return;
    const beside = marks.beside?.model ? findingOf(modelNamed(marks.beside.model)) : null;
    findings.show({ ...finding, label: page.session.study.label, chosen: state.chosen, other: beside }, state.model, announce);
  }

  return { render, renderFindings, findingOf };
}
