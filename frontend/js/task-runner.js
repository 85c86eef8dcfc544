// Runs one task at a time, ends it when the next one starts, and shows its failure.

import { Problem } from './api.js';
import { strings } from './strings.js';

/** @param {Page} page */
export function createTaskRunner(page) {
  const { state, busy, errorPanel, findings, downloads, announce } = page;

  /** Starts a task and aborts the previous one. @param {string} message */
  function startTask(message) {
    state.task?.abort();
    const task = new AbortController();
    state.task = task;
    errorPanel.clear();
    busy.show(message);
    return task;
  }

  /**
   * Runs a task; its failure is shown unless a later task has started.
   * @param {AbortController} task @param {() => void} retry @param {() => Promise<void>} work
   */
  async function runTask(task, retry, work) {
    try {
      await work();
    } catch (error) {
      if (state.task !== task || task.signal.aborted) return;
      task.abort();
      if (!page.session.hasResult(state.model?.name)) {
        // Slices delivered before the failure are discarded.
        if (state.model) page.session.discardPartialResult(state.model.name);
        findings.showNoResult();
        downloads.clear();
        announce('');
      } else page.renderFindings();
      state.task = null;
      busy.hide();
      page.render();
      showFailure(error, retry);
    }
    if (state.task === task) {
      state.task = null;
      busy.hide();
      page.render();
      page.showPictureResult();
    }
  }

  /** @param {any} error @param {() => void} retry */
  function showFailure(error, retry) {
    state.lastProblem = toProblem(error);
    errorPanel.show(state.lastProblem, retry);
  }

  return { startTask, runTask, showFailure };
}

/** @param {any} error */
function toProblem(error) {
  if (error instanceof Problem) return error;
  console.error(error);
  const { title, detail } = strings.error.page;
  return new Problem({ code: 'page_failed', title, detail: detail(error.name) });
}
