// Shows the slice and the findings that are chosen, by whatever is known of them.

import { byId } from './dom.js';
import { strings } from './strings.js';

export function createShowing(page) {
  const { state, errors, findings, marks, strip, threshold, downloads } = page;
  const { reading, sumsOf, reportShown, doubtShown, nameShown, currentSlice, colorOf, modelNamed, several } = page;
  const separate = () => Boolean(page.session.study?.pictures);
  const partShown = (model = state.model) => page.session.answer(model.name)?.slices[state.index];
  /** Whether a model answered and could not read the slice that is shown. */
  const isUnread = (model) => doubtShown(model) === 'unreadable' || partShown(model)?.probability === null;

  /** One pane's content: what a model outlines on the slice that is shown. */
  function paneOf(model) {
    const regions = reading(model)?.regions(state.index) ?? [];
    const sums = sumsOf(model);
    const idOf = (region, at) => sums?.lesions.find(({ parts }) => parts.some((part) => part.region === region))?.id ?? at + 1;
    return {
      title: model.title,
      color: colorOf(model),
      regions,
      ids: regions.map(idOf),
      probabilities: isUnread(model) ? null : partShown(model)?.probabilities ?? null,
      answered: Boolean(partShown(model)),
      unread: isUnread(model),
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
    const shown = session.study && state.window;
    const unread = Boolean(shown) && isUnread(state.model);
    const nothingRead = Boolean(shown) && doubtShown() === 'unreadable';
    // Before the panes are made: what is compared hangs on it.
    marks.setBlocked(nothingRead);
    downloads.setSliceRead(!unread);
    byId('stage-note').hidden = !unread;
    const hasVolume = shown && several() && session.hasAnswer(state.model.name);
    byId('three-d').hidden = !hasVolume;
    byId('three-d').disabled = nothingRead || separate();
    showToolsNote(nothingRead ? 'unreadable' : hasVolume && separate() ? 'separate' : null);
    if (!shown) {
      viewer.show(null);
      strip.show(null);
      threshold.setState('note');
      byId('caption').textContent = nameShown();
      return;
    }
    const { slices } = session.answer(state.model.name);
    const read = reading();
    const areas = Array.from({ length: state.total }, (_, at) => (read?.regions(at) ?? []).reduce((sum, { area }) => sum + area, 0));
    const position = several() ? strings.slices[separate() ? 'ofPictures' : 'of'](state.index + 1, state.total) : '';
    viewer.show({ name: nameShown(), slice, position, several: several(), window: state.window, marks: marks.marks, chosen: state.chosen, panes: panesOf() });
    strip.show({
      total: state.total,
      index: state.index,
      areas,
      known: Array.from(areas, (_, at) => Boolean(slices[at])),
      unread: Array.from(areas, (_, at) => slices[at]?.probability === null),
      waiting: Boolean(state.running),
      color: colorOf(state.model),
      keySlice: sumsOf()?.keySlice ?? null,
      separate: separate(),
    });
    byId('caption').textContent = slice ? strings.viewer.caption(nameShown(), slice.width, slice.height) : nameShown();
    threshold.setState(nothingRead ? 'unreadable' : unread ? 'unreadSlice' : slices[state.index]?.readout?.open === false ? 'closed' : 'note');
  }

  /** Why tools are switched off; said in words, and by the tools themselves to screen readers. */
  function showToolsNote(reason) {
    const note = byId('tools-note');
    note.hidden = reason === null;
    note.textContent = reason === null ? '' : strings.viewer.toolsOff[reason];
    for (const tool of ['mode', 'heat', 'compare', 'three-d'].map(byId)) {
      if (reason === null) tool.removeAttribute('aria-describedby');
      else tool.setAttribute('aria-describedby', note.id);
    }
  }

  function findingOf(model) {
    const report = reportShown(model);
    const sums = sumsOf(model);
    return report && sums ? { report, sums, threshold: page.session.threshold(model.name), several: Boolean(report.series), title: model.title } : null;
  }

  function renderFindings(announce = false) {
    const finding = state.model && findingOf(state.model);
    if (!finding) return;
    const beside = marks.beside?.model ? findingOf(modelNamed(marks.beside.model)) : null;
    findings.show({ ...finding, label: page.session.study.label, chosen: state.chosen, other: beside }, state.model, announce);
  }

  /** Of separate pictures each has its own finding and files, or the problem that it met. */
  function showPicture(announce = false) {
    if (!separate() || !page.session.hasAnswer(state.model.name)) return;
    const problem = page.session.answer(state.model.name).problems[state.index];
    page.offerDownloads();
    if (problem) {
      findings.fail();
      errors.show(problem, null);
    } else {
      errors.clear();
      renderFindings(announce);
    }
  }

  return { render, renderFindings, showPicture, findingOf };
}
