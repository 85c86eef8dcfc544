// Shows the current slice, its overlay and its findings.

import { byId } from './dom.js';
import { strings } from './strings.js';

/** @param {Page} page */
export function createRenderer(page) {
  const { state, errorPanel, findings, overlayControls, sliceStrip, thresholdControl, downloads } = page;
  const { measurements, totalsOf, currentReport, currentDoubt, currentName, currentSlice, colorOf, modelNamed, hasSeveralSlices } = page;
  const hasSeparatePictures = () => Boolean(page.session.study?.pictures);
  const currentSliceReport = (model = state.model) => page.session.result(model.name)?.slices[state.index];
  /** Whether the model reported that it could not read the current slice. */
  const isSliceUnreadable = (model) => currentDoubt(model) === 'unreadable' || currentSliceReport(model)?.probability === null;

  /** Content of one pane: what a model outlines on the current slice. @param {Model} model @returns {Pane} */
  function describePane(model) {
    const regions = measurements(model)?.regionsAt(state.index) ?? [];
    const totals = totalsOf(model);
    /** @type {(region: Region, position: number) => number} */
    const lesionIdOf = (region, position) => totals?.lesions.find(({ parts }) => parts.some((part) => part.region === region))?.id ?? position + 1;
    return {
      title: model.title,
      color: colorOf(model),
      regions,
      ids: regions.map(lesionIdOf),
      probabilities: isSliceUnreadable(model) ? null : currentSliceReport(model)?.probabilities ?? null,
      hasResult: Boolean(currentSliceReport(model)),
      isUnreadable: isSliceUnreadable(model),
    };
  }

  function describePanes() {
    const main = describePane(state.model);
    const { comparison } = overlayControls;
    if (!comparison) return [main];
    return comparison.isPlain ? [{ ...main, title: strings.viewer.comparePlain, regions: [], ids: [], isPlain: true }, main] : [main, describePane(modelNamed(comparison.model))];
  }

  function render() {
    const { session, viewer } = page;
    const slice = currentSlice();
    const shown = session.study && state.window;
    const isUnreadable = Boolean(shown) && isSliceUnreadable(state.model);
    const isNothingReadable = Boolean(shown) && currentDoubt() === 'unreadable';
    // Before the panes are described: they depend on whether a comparison is possible.
    overlayControls.setDisabled(isNothingReadable);
    downloads.setSliceReadable(!isUnreadable);
    byId('viewport-note').hidden = !isUnreadable;
    const hasVolume = shown && hasSeveralSlices() && session.hasResult(state.model.name);
    byId('three-d').hidden = !hasVolume;
    byId('three-d').disabled = isNothingReadable || hasSeparatePictures();
    showToolbarNote(isNothingReadable ? 'unreadable' : hasVolume && hasSeparatePictures() ? 'separate' : null);
    if (!shown) {
      viewer.show(null);
      sliceStrip.show(null);
      thresholdControl.setState('note');
      byId('caption').textContent = currentName();
      return;
    }
    const { slices } = session.result(state.model.name);
    const current = measurements();
    const areas = Array.from({ length: state.total }, (_, index) => (current?.regionsAt(index) ?? []).reduce((sum, { area }) => sum + area, 0));
    const position = hasSeveralSlices() ? strings.slices[hasSeparatePictures() ? 'picturePosition' : 'position'](state.index + 1, state.total) : '';
    viewer.show({ name: currentName(), slice, position, hasReport: Boolean(currentReport()), hasSeveralSlices: hasSeveralSlices(), window: state.window, overlay: overlayControls.overlay, selectedLesion: state.selectedLesion, panes: describePanes() });
    sliceStrip.show({
      total: state.total,
      index: state.index,
      areas,
      hasResult: Array.from(areas, (_, index) => Boolean(slices[index])),
      isUnreadable: Array.from(areas, (_, index) => slices[index]?.probability === null),
      isWaiting: Boolean(state.task),
      color: colorOf(state.model),
      keySlice: totalsOf()?.keySlice ?? null,
      hasSeparatePictures: hasSeparatePictures(),
    });
    byId('caption').textContent = slice ? strings.viewer.caption(currentName(), slice.width, slice.height) : currentName();
    thresholdControl.setState(isNothingReadable ? 'unreadable' : isUnreadable ? 'unreadableSlice' : slices[state.index]?.readout?.open === false ? 'closed' : 'note');
  }

  /** Explains why tools are disabled, to screen readers through the tools themselves. @param {'unreadable' | 'separate' | null} reason */
  function showToolbarNote(reason) {
    const note = byId('toolbar-note');
    note.hidden = reason === null;
    note.textContent = reason === null ? '' : strings.viewer.toolsDisabled[reason];
    for (const tool of ['overlay-mode', 'heat', 'compare', 'three-d'].map(byId)) {
      if (reason === null) tool.removeAttribute('aria-describedby');
      else tool.setAttribute('aria-describedby', note.id);
    }
  }

  /** @param {Model} model @returns {Finding | null} */
  function findingOf(model) {
    const report = currentReport(model);
    const totals = totalsOf(model);
    return report && totals ? { report, totals, threshold: page.session.threshold(model.name), isSeries: Boolean(report.series), isDevice: page.session.result(model.name).isDevice, title: model.title } : null;
  }

  function renderFindings(isAnnounced = false) {
    const finding = state.model && findingOf(state.model);
    if (!finding) return;
    const comparison = overlayControls.comparison?.model ? findingOf(modelNamed(overlayControls.comparison.model)) : null;
    findings.show({ ...finding, label: page.session.study.label, selectedLesion: state.selectedLesion, comparison }, state.model, isAnnounced);
  }

  /** Shows the finding, or the problem, of the current one of separate pictures. */
  function showPictureResult(isAnnounced = false) {
    if (!hasSeparatePictures() || !page.session.hasResult(state.model.name)) return;
    const problem = page.session.result(state.model.name).problems[state.index];
    page.offerDownloads();
    if (problem) {
      findings.showNoResult();
      errorPanel.show(problem, null);
    } else {
      errorPanel.clear();
      renderFindings(isAnnounced);
    }
  }

  return { render, renderFindings, showPictureResult, findingOf };
}
