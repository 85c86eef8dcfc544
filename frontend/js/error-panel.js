// What went wrong and what to do about it.

import { byId } from './dom.js';
import { strings } from './strings.js';

/** Shows a Problem; the retry button calls what `show` was given last. */
export function createErrorPanel() {
  const panel = byId('error');
  const retry = byId('error-retry');
  let again = null;
  retry.addEventListener('click', () => again());

  return {
    show(problem, onRetry) {
      const { advice, trace } = strings.error;
      byId('error-title').textContent = problem.title;
      byId('error-detail').textContent = problem.detail;
      byId('error-advice').textContent = advice[problem.code] ?? advice.default;
      byId('error-trace').textContent = trace(problem.code, problem.requestId);
      again = onRetry;
      retry.hidden = !onRetry;
      panel.hidden = false;
    },
    clear() {
      panel.hidden = true;
    },
  };
}
