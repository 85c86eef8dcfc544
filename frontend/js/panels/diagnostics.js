// Text for a bug report: versions and timings, and no data of the image, not even its name.

/** @param {{serverInfo: ServerInfo | null, model: Model | null, report: Report | null, lastProblem: any, timings: Record<string, number>}} state */
export function diagnosticsText({ serverInfo, model, report, lastProblem, timings }) {
  const lines = {
    page: document.title,
    ichor: serverInfo?.version ?? 'no answer',
    models: serverInfo?.models.map(({ name, version, sha256 }) => `${name} ${version} ${sha256.slice(0, 12)}`).join('; '),
    selected: model?.name,
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
