// Opens files and samples, and loads the modules for it on the first sign of a visitor.

import { Problem } from './api.js';
import { byId } from './dom.js';
import { strings } from './strings.js';

/** @param {Page} page */
export function createIntake(page) {
  const { state, location, thresholds, busy, findings, windowControls, gallery, downloads, announce } = page;
  const { currentSlice, render, renderFindings, showPictureResult, startTask, runTask } = page;
  /** @type {Promise<void> | null} */
  let workspace = null;

  /** Loads the session and the viewer, once; the first view stays small without them. */
  function loadWorkspace() {
    workspace ??= Promise.all([import('./session.js'), import('./view/viewer.js'), import('./panels/finding-view.js')]).then(([{ createSession }, { createViewer }, findingView]) => {
      findings.setView(findingView);
      page.session = createSession({
        location,
        thresholds,
        onProgress: ({ message, done, total, slices = 0 }) => {
          state.total = Math.max(state.total, slices);
          busy.show(message, done, total);
        },
        onSlice: page.onSliceResult,
        onMeasurements: () => { render(); renderFindings(); },
        onAmbiguousPictures: askGroupingOf,
      });
      page.viewer = createViewer({ onScroll: (steps) => page.goTo(state.index + steps), onWindowDrag: (dx, dy) => windowControls.dragBy(dx, dy), announce });
    }).catch(() => {
      workspace = null; // so that the next attempt loads again
      throw new Problem({ code: 'unreachable', ...strings.error.unreachable });
    });
    return workspace;
  }
  for (const sign of ['pointermove', 'pointerdown', 'keydown', 'dragenter']) {
    // A failure is reported when something is opened.
    document.addEventListener(sign, () => loadWorkspace().catch(() => {}), { once: true, passive: true });
  }

  /** Asks whether several pictures are one head; closing the dialog cancels. @param {{count: number, first: string, last: string}} pictures @param {AbortSignal} signal */
  async function askGroupingOf(pictures, signal) {
    busy.hide();
    const { askGrouping } = await import('./panels/grouping-question.js');
    const grouping = await askGrouping(pictures, signal);
    if (signal.aborted) return null;
    if (grouping) busy.show(strings.busy.reading);
    else cancel();
    return grouping;
  }

  /** Closes the study and clears every panel. */
  function clearStudy() {
    page.session.close();
    Object.assign(state, { index: 0, total: 0, hasNavigated: false, selectedLesion: null, window: null, isWindowProvisional: false, lastProblem: null, timings: {} });
    findings.clear();
    downloads.clear();
    windowControls.clear();
    render();
  }

  /**
   * Closes what was open, so that no finding is shown beside another image, and opens what `read` returns.
   * @param {() => Promise<File[]>} read @param {string | null} label @param {number | null} series
   */
  async function open(read, label = null, series = null) {
    state.source = { read, label };
    const task = startTask(strings.busy.reading);
    clearStudy();
    announce('');
    await runTask(task, () => open(read, label, series), async () => {
      if (!state.serverInfo && !(await page.loadServerInfo())) throw state.lastProblem;
      const start = performance.now();
      await loadWorkspace();
      await page.session.open(await read(), { label, series }, task.signal);
      document.body.dataset.state = 'open';
      if (currentSlice()) page.resetWindow();
      render();
      // On a narrow page the viewport may be off screen.
      const { top, bottom } = byId('viewport').getBoundingClientRect();
      if (top < 0 || bottom > window.innerHeight) byId('viewer').scrollIntoView();
      await page.runAnalyses(task);
      state.timings = { opened_to_finding: Math.round(performance.now() - start) };
    });
  }

  /** Opens the same source again for another of its series. @param {number} number */
  function openSeries(number) {
    byId('viewport').focus({ preventScroll: true }); // the button disappears, and would take the focus with it
    return open(state.source.read, state.source.label, number);
  }

  function cancel() {
    state.task?.abort();
    state.task = null;
    busy.hide();
    announce(strings.busy.cancelled);
    if (page.session.hasResult(state.model?.name)) {
      renderFindings();
      return showPictureResult();
    }
    document.body.dataset.state = 'empty';
    gallery.clear();
    return clearStudy();
  }

  return { open, openSample: (sample) => open(() => fetchSample(sample), sample.label), openSeries, cancel };
}

/** @param {Sample} sample */
async function fetchSample({ address, file: name }) {
  const response = await fetch(address).catch(() => null);
  if (!response) throw new Problem({ code: 'unreachable', ...strings.error.unreachable });
  if (!response.ok) throw new Problem({ code: 'sample', ...strings.error.sample });
  const blob = await response.blob();
  return [new File([blob], name, { type: blob.type })];
}
