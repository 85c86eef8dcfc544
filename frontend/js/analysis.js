// Runs the selected model, and the one it is compared with, and shows results slice by slice.

import { byId } from './dom.js';
import { strings } from './strings.js';

/** @param {Page} page */
export function createAnalysis(page) {
  const { state, busy, findings, windowControls, overlayControls, announce } = page;
  const { regionsOf, currentSlice, modelNamed, hasSeveralSlices, render, renderFindings, startTask, runTask } = page;
  const visibleModels = () => [state.model, overlayControls.comparison?.model && modelNamed(overlayControls.comparison.model)].filter(Boolean);
  const nextMissing = () => visibleModels().find(({ name }) => !page.session.hasResult(name));

  /** Analyzes the open study with every visible model that has no result yet. */
  async function analyzeMissing() {
    if (!page.session.study || state.task || !nextMissing()) return; // a running task checks again before it ends
    const task = startTask(strings.busy.working(nextMissing().title));
    await runTask(task, analyzeMissing, () => runAnalyses(task));
  }

  /** @param {AbortController} task */
  async function runAnalyses(task) {
    for (let model = nextMissing(); model; model = nextMissing()) {
      const message = strings.busy.working(model.title);
      busy.show(message);
      findings.showWaiting(message, page.session.hasResult(state.model.name));
      announce(message);
      await page.session.analyze(model, state.serverInfo, task.signal);
      if (model === state.model) showResult(model);
      else { render(); renderFindings(); }
    }
  }

  /** @param {Model} model */
  function showResult(model) {
    const { study } = page.session;
    state.total = study.pictures?.length ?? study.slices.length;
    if (state.isWindowProvisional && study.window) resetWindow();
    if (!state.hasNavigated) state.index = page.currentReport(model)?.series?.key_slice ?? 0;
    byId('disclaimer').textContent = page.currentReport(model)?.disclaimer ?? byId('disclaimer').textContent;
    render();
    renderFindings(true);
    page.offerDownloads();
    page.showPictureResult();
  }

  /** @param {number} index @param {Model} model */
  function onSliceResult(index, model) {
    if (model !== state.model) return;
    state.total = Math.max(state.total, page.session.study.slices.length);
    if (!state.window) resetWindow(index);
    if (!currentSlice()?.samples && !state.hasNavigated) state.index = index;
    const { slices } = page.session.result(model.name);
    const done = slices.filter(Boolean).length;
    const readable = slices.filter((slice) => slice && slice.probability !== null).length;
    if (done > 1 || hasSeveralSlices()) {
      const outlined = slices.filter((_, at) => regionsOf(at).length).length;
      const text = strings.busy[page.session.study.pictures ? 'soFarPictures' : 'soFar'];
      findings.showWaiting(readable ? text(outlined, readable) : strings.busy.unreadableSoFar, false);
    }
    render();
  }

  /** Sets window and level to what suits the samples of the open study. */
  function resetWindow(index = state.index) {
    const { window } = page.session.study;
    state.isWindowProvisional = !window; // a job reports the model's window with its result only
    windowControls.start(page.session.study.slices[index].unit, window ?? state.serverInfo.windows[0]);
  }

  return { analyzeMissing, runAnalyses, onSliceResult, resetWindow };
}
