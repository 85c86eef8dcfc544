// Asks the models that are looked at, and takes their answers slice by slice.

import { byId } from './dom.js';
import { strings } from './strings.js';

export function createAsking(page) {
  const { state, busy, findings, windows, marks, say } = page;
  const { regionsOf, currentSlice, modelNamed, several, render, renderFindings, start, finish } = page;
  const wanted = () => [state.model, marks.beside?.model && modelNamed(marks.beside.model)].filter(Boolean);
  const missing = () => wanted().find(({ name }) => !page.session.hasAnswer(name));

  /** Asks the chosen model, and the one beside it, for what they have not answered yet. */
  async function answerAll() {
    if (!page.session.study || state.running || !missing()) return; // a job that runs sees to it itself
    const job = start(strings.busy.working(missing().title));
    await finish(job, answerAll, () => answers(job));
  }

  async function answers(job) {
    for (let model = missing(); model; model = missing()) {
      const message = strings.busy.working(model.title);
      busy.show(message);
      findings.wait(message, page.session.hasAnswer(state.model.name));
      say(message);
      await page.session.ask(model, state.facts, job.signal);
      if (model === state.model) answered(model);
      else { render(); renderFindings(); }
    }
  }

  function answered(model) {
    const { study } = page.session;
    state.total = study.pictures?.length ?? study.slices.length;
    if (state.guessed && study.window) startSlice();
    if (!state.moved) state.index = page.reportShown(model)?.series?.key_slice ?? 0;
    byId('disclaimer').textContent = page.reportShown(model)?.disclaimer ?? byId('disclaimer').textContent;
    render();
    renderFindings(true);
    page.offerDownloads();
    page.showPicture();
  }

  function sliceCame(index, model) {
    if (model !== state.model) return;
    state.total = Math.max(state.total, page.session.study.slices.length);
    if (!state.window) startSlice(index);
    if (!currentSlice()?.samples && !state.moved) state.index = index;
    const { slices } = page.session.answer(model.name);
    const done = slices.filter(Boolean).length;
    const read = slices.filter((slice) => slice && slice.probability !== null).length;
    if (done > 1 || several()) {
      const found = slices.filter((_, at) => regionsOf(at).length).length;
      const say = strings.busy[page.session.study.pictures ? 'soFarPictures' : 'soFar'];
      findings.wait(read ? say(found, read) : strings.busy.unreadSoFar, false);
    }
    render();
  }

  /** Windows that fit the samples of what was opened. */
  function startSlice(index = state.index) {
    const { window } = page.session.study;
    state.guessed = !window; // a job says only at its end what the model's own window is
    windows.start(page.session.study.slices[index].unit, window ?? state.facts.windows[0]);
  }

  return { answerAll, answers, sliceCame, startSlice };
}
