// What a report of a fault needs: versions and timings; nothing of the image, not even its name.

/** The text; `facts` may be null while the server does not answer, `finding` where nothing is open. */
export function diagnosticsText({ facts, model, report, lastProblem, timings }) {
  const lines = {
    page: document.title,
    ichor: facts?.version ?? 'no answer',
    models: facts?.models.map(({ name, version, sha256 }) => `${name} ${version} ${sha256.slice(0, 12)}`).join('; '),
    chosen: model?.name,
    request: report?.request_id,
    server_ms: report && JSON.stringify(report.timings_ms),
    page_ms: timings && JSON.stringify(timings),
    slices: report && (report.series?.slices ?? 1),
    problem: lastProblem && `${lastProblem.code} ${lastProblem.status} ${lastProblem.requestId ?? ''}`.trim(),
    browser: navigator.userAgent,
    screen: `${window.innerWidth} x ${window.innerHeight} at ${window.devicePixelRatio}`,
    cores: navigator.hardwareConcurrency,
    offline_ready: Boolean(navigator.serviceWorker?.controller),
  };
  return Object.entries(lines).filter(([, value]) => value !== undefined && value !== null).map(([name, value]) => `${name}: ${value}`).join('\n');
}
