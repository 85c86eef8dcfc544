// Saves the current result as files and copies it to the clipboard.

import { language, strings } from './strings.js';

const loadExports = () => import('./data/exports.js');

/** @param {Page} page */
export function createExportActions(page) {
  const { state, location, busy, downloads, overlayControls, announce, totalsOf, currentReport, currentDoubt, regionsOf, currentSlice, colorOf, findingOf } = page;
  /** @param {Report} report */
  const canExportDicom = (report) => Boolean((report.series ?? report.image).modality && currentSlice()?.placement);

  // Files are offered only where there is a report, and so a slice.
  const reportedSlice = () => /** @type {Slice} */ (currentSlice());
  const exporters = {
    mask: async () => (await loadExports()).maskPng(reportedSlice(), regionsOf(state.index)),
    overlay: async () => (await loadExports()).overlayPng(reportedSlice(), regionsOf(state.index), { window: state.window, color: colorOf(state.model), overlay: overlayControls.overlay }),
    nifti: async () => (await loadExports()).maskNifti(page.session.study.slices, regionsOf),
    json: async () => (await loadExports()).reportJson(/** @type {Report} */ (currentReport()), page.session.threshold(state.model.name), /** @type {Totals} */ (totalsOf())),
    dicom: () => exported('dicomSegmentation'),
    html: () => exported('printedReport'),
  };

  /** Offers the files of the current result. Of an unreadable image there is no mask: an empty one would read as "no hemorrhage". */
  function offerDownloads() {
    const report = currentReport();
    if (!report) return downloads.clear();
    const doubt = currentDoubt();
    const kinds = doubt === 'unreadable' ? ['json'] : ['mask', 'overlay', report.series && 'nifti', canExportDicom(report) && 'dicom', 'json', canPrint() && 'html'].filter(Boolean);
    const notes = [doubt, report.series && page.session.isUnevenlySpaced && 'uneven'].filter(Boolean);
    return downloads.show(page.currentName(), kinds, notes);
  }

  /** Whether the report can be written again from the whole file: the server takes no larger one in a request. */
  const canPrint = () => {
    const { study } = page.session;
    return Boolean(study.body) && (location.isDevice(study) || study.body.size <= state.serverInfo.limits.max_body_bytes);
  };

  /** A file that is written where the models run. @param {'dicomSegmentation' | 'printedReport'} kind */
  async function exported(kind) {
    busy.show(strings.busy.exporting);
    try {
      const options = { model: state.model.name, threshold: page.session.threshold(state.model.name), series: page.session.study.series, ...(kind === 'printedReport' && { language: language() }) };
      return await location[kind](page.session.study, options, new AbortController().signal);
    } finally {
      busy.hide();
    }
  }

  /** @param {string} text @param {string} doneMessage */
  async function copy(text, doneMessage) {
    try {
      await navigator.clipboard.writeText(text);
      announce(doneMessage);
    } catch {
      announce(strings.page.copyFailed);
    }
  }

  async function copyFindings() {
    const { findingText } = await import('./panels/finding-text.js');
    const finding = findingOf(state.model);
    if (!finding) return;
    await copy(findingText(finding, { name: page.currentName(), model: state.model, disclaimer: finding.report.disclaimer }), strings.findings.copied);
  }

  async function copyDiagnostics() {
    const { diagnosticsText } = await import('./panels/diagnostics.js');
    const report = currentReport();
    await copy(diagnosticsText({ serverInfo: state.serverInfo, model: state.model, report, lastProblem: state.lastProblem, timings: state.timings }), strings.page.diagnosticsCopied);
  }

  return { exporters, offerDownloads, copyFindings, copyDiagnostics };
}
