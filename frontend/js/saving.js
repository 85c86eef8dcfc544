// Saves and copies what is shown.

import { strings } from './strings.js';

const exportsOf = () => import('./data/exports.js');

export function createSaving(page) {
  const { state, api, busy, downloads, marks, say, sumsOf, reportShown, doubtShown, regionsOf, currentSlice, colorOf, findingOf } = page;
  const offersDicom = (report) => Boolean((report.series ?? report.image).modality && currentSlice()?.placement);

  const make = {
    mask: async () => (await exportsOf()).maskPng(currentSlice(), regionsOf(state.index)),
    overlay: async () => (await exportsOf()).overlayPng(currentSlice(), regionsOf(state.index), { window: state.window, color: colorOf(state.model), marks: marks.marks }),
    nifti: async () => (await exportsOf()).maskNifti(page.session.study.slices, regionsOf),
    json: async () => (await exportsOf()).reportJson(reportShown(), page.session.threshold(state.model.name), sumsOf()),
    dicom: () => dicomSegmentation(),
  };

  /** Offers what can be saved of what is shown. An empty mask would read as "no hemorrhage" where nothing was looked at. */
  function offerDownloads() {
    const report = reportShown();
    if (!report) return downloads.clear();
    const doubt = doubtShown();
    const kinds = doubt === 'unreadable' ? ['json'] : ['mask', 'overlay', report.series && 'nifti', offersDicom(report) && 'dicom', 'json'].filter(Boolean);
    const notes = [doubt, report.series && page.session.uneven && 'uneven'].filter(Boolean);
    return downloads.show(page.nameShown(), kinds, notes);
  }

  async function dicomSegmentation() {
    busy.show(strings.busy.exporting);
    try {
      const options = { model: state.model.name, threshold: page.session.threshold(state.model.name), series: page.session.study.series };
      return await api.dicomSegmentation(page.session.study.body, options);
    } finally {
      busy.hide();
    }
  }

  async function copy(text, done) {
    try {
      await navigator.clipboard.writeText(text);
      say(done);
    } catch {
      say(strings.page.copyFailed);
    }
  }

  async function copyFindings() {
    const { findingText } = await import('./panels/finding-words.js');
    const finding = findingOf(state.model);
    await copy(findingText(finding, { name: page.nameShown(), model: state.model, disclaimer: finding.report.disclaimer }), strings.findings.copied);
  }

  async function copyDiagnostics() {
    const { diagnosticsText } = await import('./panels/diagnostics.js');
    const report = reportShown();
    await copy(diagnosticsText({ facts: state.facts, model: state.model, report, lastProblem: state.problem, timings: state.timings }), strings.page.diagnosticsDone);
  }

  return { make, offerDownloads, copyFindings, copyDiagnostics };
}
