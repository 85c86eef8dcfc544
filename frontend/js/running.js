// One job at a time: begun, ended by the next one or by the visitor, and its failure told.

import { Problem } from './api.js';
import { strings } from './strings.js';

export function createRunning(page) {
  const { state, busy, errors, findings, downloads, say } = page;

  /** Begins a job, which ends the one before it. */
  function start(message) {
    state.running?.abort();
    const job = new AbortController();
    state.running = job;
    errors.clear();
    busy.show(message);
    return job;
  }

  /** Runs a job's work; a failure is shown only when no later job has taken over. */
  async function finish(job, again, work) {
    try {
      await work();
    } catch (error) {
      if (state.running !== job || job.signal.aborted) return;
      job.abort();
      if (!page.session.hasAnswer(state.model?.name)) {
        // Slices that came before the failure are no answer.
        if (state.model) page.session.dropPart(state.model.name);
        findings.fail();
        downloads.clear();
        say('');
      } else page.renderFindings();
      state.running = null;
      busy.hide();
      page.render();
      fail(error, again);
    }
    if (state.running === job) {
      state.running = null;
      busy.hide();
      page.render();
      page.showPicture();
    }
  }

  function fail(error, again) {
    state.problem = asProblem(error);
    errors.show(state.problem, again);
  }

  return { start, finish, fail };
}

function asProblem(error) {
  if (error instanceof Problem) return error;
  console.error(error);
  const { title, detail } = strings.error.unexpected;
  return new Problem({ code: 'unexpected', title, detail: detail(error.name) });
}
