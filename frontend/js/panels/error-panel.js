// The error panel: what is wrong and what to do.

import { byId } from '../dom.js';
import { strings } from '../strings.js';

// Repeating helps only where the request itself was valid.
const isWorthRetrying = ({ status }) => status === 0 || status === 429 || status >= 500;

export function createErrorPanel() {
  const panel = byId('error');
  const [retry, choose] = ['error-retry', 'error-choose'].map(byId);
  /** @type {(() => void) | null} */
  let retryAction = null;
  retry.addEventListener('click', () => retryAction?.());
  choose.addEventListener('click', () => byId('file').click());

  return {
    /** Shows a Problem. */
    show(problem, onRetry) {
      const { advice, title, trace } = strings.error;
      byId('error-title').textContent = title[problem.code] ?? problem.title;
      byId('error-detail').textContent = problem.detail;
      byId('error-advice').textContent = advice[problem.code] ?? '';
      byId('error-trace').textContent = trace(problem.code, problem.requestId);
      retryAction = onRetry;
      retry.hidden = !isWorthRetrying(problem);
      choose.hidden = !retry.hidden;
      panel.hidden = false;
      panel.scrollIntoView({ block: 'nearest' });
    },
    clear() {
      // Hiding a focused button would lose the focus.
      if (panel.contains(document.activeElement)) byId('viewport').focus({ preventScroll: true });
      panel.hidden = true;
    },
  };
}
