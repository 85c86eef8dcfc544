// Saves and copies what is shown.

import { strings } from './strings.js';

const exportsOf = () => import('./data/exports.js');

export function createSaving(page) {
  const { state, api, busy, downloads, marks, say, reading, regionsOf, currentSlice, colorOf, findingOf } = page;
  const offersDicom = (report) => Boolean((report.series ?? report.image).modality && currentSlice()?.placement);

  const make = {
    mask: async () => (await exportsOf()).maskPng(currentSlice(), regionsOf(state.index)),
    overlay: async () => (await exportsOf()).overlayPng(currentSlice(), regionsOf(state.index), { window: state.window, color: colorOf(state.model), marks: marks.marks }),
    nifti: async () => (await exportsOf()).maskNifti(page.session.study.slices, regionsOf),
    json: async () => (await exportsOf()).reportJson(page.session.answer(state.model.name).report, page.session.threshold(state.model.name), reading().sums),
    dicom: () => dicomSegmentation(),
  };

  function offerDownloads(report) {
    const kinds = ['mask', 'overlay', report.series && 'nifti', offersDicom(report) && 'dicom', 'json'].filter(Boolean);
    downloads.show(page.session.study.name, kinds, report.series && page.session.uneven);
  }

  async function dicomSegmentation() {
    busy.show(strings.busy.exporting);
    try {
      const options = { model: state.model.name, threshold: page.session.threshold(state.model.name) };
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
    await copy(findingText(finding, { name: page.session.study.name, model: state.model, disclaimer: finding.report.disclaimer }), strings.findings.copied);
  }

  async function copyDiagnostics() {
    const { diagnosticsText } = await import('./panels/diagnostics.js');
    const report = state.model && page.session.answer(state.model.name)?.report;
    await copy(diagnosticsText({ facts: state.facts, model: state.model, report, lastProblem: state.problem, timings: state.timings }), strings.page.diagnosticsDone);
  }

  return { make, offerDownloads, copyFindings, copyDiagnostics };
}
