// What went wrong and what to do about it.

import { byId } from '../dom.js';
import { strings } from '../strings.js';

// The same request can succeed later only when it was not the request that was at fault.
const worthRepeating = ({ status }) => status === 0 || status === 429 || status >= 500;

/** Shows a Problem; the retry button calls what `show` was given last. */
export function createErrorPanel() {
  const panel = byId('error');
  const retry = byId('error-retry');
  let again = null;
  retry.addEventListener('click', () => again());

  return {
    show(problem, onRetry) {
      const { advice, title, trace } = strings.error;
      byId('error-title').textContent = title[problem.code] ?? problem.title;
      byId('error-detail').textContent = problem.detail;
      byId('error-advice').textContent = advice[problem.code] ?? '';
      byId('error-trace').textContent = trace(problem.code, problem.requestId);
      again = onRetry;
      retry.hidden = !worthRepeating(problem);
      panel.hidden = false;
      panel.scrollIntoView({ block: 'nearest' });
    },
    clear() {
      // Focus on a button that goes away would be lost: the picture takes it.
      if (panel.contains(document.activeElement)) byId('stage').focus({ preventScroll: true });
      panel.hidden = true;
    },
  };
}
