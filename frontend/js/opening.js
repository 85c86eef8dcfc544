// Opens files and samples, and loads what that needs once a visitor's hand is near.

import { Problem } from './api.js';
import { byId } from './dom.js';
import { strings } from './strings.js';

export function createOpening(page) {
  const { state, api, thresholds, busy, findings, windows, gallery, downloads, say } = page;
  const { currentSlice, render, renderFindings, showPicture, start, finish } = page;
  let bench = null;

  /** Loads what opening needs, once: the session and the viewer. Any sign of a visitor's hand begins it. */
  function loadBench() {
    bench ??= Promise.all([import('./session.js'), import('./view/viewer.js'), import('./panels/finding-view.js')]).then(([{ createSession }, { createViewer }, findingView]) => {
      findings.setView(findingView);
      page.session = createSession({
        api,
        thresholds,
        onProgress: ({ message, done, total, slices = 0 }) => {
          state.total = Math.max(state.total, slices);
          busy.show(message, done, total);
        },
        onSlice: page.sliceCame,
        onReading: () => { render(); renderFindings(); },
        onQuestion: ask,
      });
      page.viewer = createViewer({ onScroll: (steps) => page.goTo(state.index + steps), onWindowDrag: (dx, dy) => windows.dragBy(dx, dy), say });
    }).catch(() => {
      bench = null; // the next try asks the server again
      throw new Problem({ code: 'unreachable', ...strings.error.unreachable });
    });
    return bench;
  }
  for (const sign of ['pointermove', 'pointerdown', 'keydown', 'dragenter']) {
    // A failure is met again, and told, when something is opened.
    document.addEventListener(sign, () => loadBench().catch(() => {}), { once: true, passive: true });
  }

  /** Asks what several pictures are; closing the question without a choice cancels. */
  async function ask(pictures, signal) {
    busy.hide();
    const { askKind } = await import('./panels/kind-question.js');
    const kind = await askKind(pictures, signal);
    if (signal.aborted) return null;
    if (kind) busy.show(strings.busy.reading);
    else cancel();
    return kind;
  }

  /** Forgets what was open: no word or figure of it stays in any panel. */
  function clear() {
    page.session.close();
    Object.assign(state, { index: 0, total: 0, moved: false, chosen: null, window: null, guessed: false, problem: null, timings: {} });
    findings.clear();
    downloads.clear();
    windows.clear();
    render();
  }

  /** Opens something new: whatever was shown before goes, so that no finding stands beside another's picture. */
  async function open(read, label = null, series = null) {
    state.opened = { read, label };
    const job = start(strings.busy.reading);
    clear();
    say('');
    await finish(job, () => open(read, label, series), async () => {
      if (!state.facts && !(await page.loadFacts())) throw state.problem;
      const opened = performance.now();
      await loadBench();
      await page.session.open(await read(), { label, series }, job.signal);
      document.body.dataset.state = 'open';
      if (currentSlice()) page.startSlice();
      render();
      // On a narrow page the viewport may lie outside.
      const { top, bottom } = byId('stage').getBoundingClientRect();
      if (top < 0 || bottom > window.innerHeight) byId('viewer').scrollIntoView();
      await page.answers(job);
      state.timings = { opened_to_finding: Math.round(performance.now() - opened) };
    });
  }

  /** Opens again what is open, for another of its series. */
  function openSeries(number) {
    byId('stage').focus({ preventScroll: true }); // the button goes, and focus would go with it
    return open(state.opened.read, state.opened.label, number);
  }

  function cancel() {
    state.running?.abort();
    state.running = null;
    busy.hide();
    say(strings.busy.cancelled);
    if (page.session.hasAnswer(state.model?.name)) {
      renderFindings();
      return showPicture();
    }
    document.body.dataset.state = 'empty';
    gallery.clear();
    return clear();
  }

  return { open, openSample: (sample) => open(() => fetchSample(sample), sample.label), openSeries, cancel };
}

async function fetchSample({ address, file: name }) {
  const response = await fetch(address).catch(() => null);
  if (!response) throw new Problem({ code: 'unreachable', ...strings.error.unreachable });
  if (!response.ok) throw new Problem({ code: 'sample', ...strings.error.sample });
  const blob = await response.blob();
  return [new File([blob], name, { type: blob.type })];
}
