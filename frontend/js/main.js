// The controller: holds what is chosen, asks the session, tells each widget what to show.

import { createApi, Problem } from './api.js';
import { byId } from './dom.js';
import { createBusy } from './panels/busy.js';
import { createDownloads } from './panels/downloads.js';
import { createDropZone } from './panels/drop-zone.js';
import { createErrorPanel } from './panels/error-panel.js';
import { createFindings } from './panels/findings.js';
import { createGallery } from './panels/gallery.js';
import { createModelChoice } from './panels/model-choice.js';
import { createPageTools } from './panels/page-tools.js';
import { createThreshold } from './panels/threshold.js';
import { noViewer, nothingOpen } from './nothing-open.js';
import { keepSetting, readSetting } from './settings.js';
import { listenToKeys } from './shortcuts.js';
import { fillTexts, strings } from './strings.js';
import { createMarkControls } from './view/mark-controls.js';
import { createSliceStrip } from './view/slice-strip.js';
import { createWindowControls } from './view/window-controls.js';

/** facts: the answer of /v1/models; index: the slice that is shown; total: how many there will be. */
const state = { facts: null, model: null, index: 0, total: 0, moved: false, chosen: null, window: null, running: null, problem: null, timings: {} };

const api = createApi(document.querySelector('meta[name="ichor-api"]').content);
const thresholds = new Map(); // by model; those that the visitor moved
let session = nothingOpen(thresholds);
let viewer = noViewer;
const say = (message) => findings.say(message);
const busy = createBusy({ onCancel: () => cancel() });
const errors = createErrorPanel();
const findings = createFindings({ lesion: showLesion, key: () => goToKey(), copy: copyFindings });
const windows = createWindowControls({ onWindow: (window) => { state.window = window; render(); } });
const marks = createMarkControls({ onMarks: () => render(), onCompare: () => { render(); answerAll(); } });
const strip = createSliceStrip({ onSlice: goTo, onKey: () => goToKey() });
const threshold = createThreshold({ onThreshold: setThreshold });
const modelChoice = createModelChoice({ onModel: chooseModel, cardUrl: api.cardUrl });
const gallery = createGallery({ onSample: (sample) => open(() => fetchSample(sample), sample.label) });
const dropZone = createDropZone({ onFiles: (files) => { gallery.clear(); open(async () => files); } });
const downloads = createDownloads({
  make: {
    mask: async () => (await exportsOf()).maskPng(currentSlice(), regionsOf(state.index)),
    overlay: async () => (await exportsOf()).overlayPng(currentSlice(), regionsOf(state.index), { window: state.window, color: colorOf(state.model), marks: marks.marks }),
    nifti: async () => (await exportsOf()).maskNifti(session.study.slices, regionsOf),
    json: async () => (await exportsOf()).reportJson(session.answer(state.model.name).report, session.threshold(state.model.name), reading().sums),
    dicom: () => dicomSegmentation(),
  },
  onSaved: (name) => say(strings.downloads.saved(name)),
  onFailure: (error, again) => fail(error, again),
});
const tools = createPageTools({ onLanguage: retext, onAbout: openAbout, onShortcuts: openSheet });

const exportsOf = () => import('./data/exports.js');
const reading = (model = state.model) => session.reading(model.name);
const regionsOf = (index) => reading()?.regions(index) ?? [];
const currentSlice = () => session.study?.slices[state.index];
const colorOf = (model) => model.classes[0].color;
const modelNamed = (name) => state.facts.models.find((model) => model.name === name);
const several = () => state.total > 1;
const offersDicom = (report) => Boolean((report.series ?? report.image).modality && currentSlice()?.placement);

// Opening and asking

let bench = null;
/** Loads what opening needs, once: the session and the viewer. Any sign of a visitor's hand begins it. */
function loadBench() {
  bench ??= Promise.all([import('./session.js'), import('./view/viewer.js'), import('./panels/finding-view.js')]).then(([{ createSession }, { createViewer }, findingView]) => {
    findings.setView(findingView);
    session = createSession({
      api,
      thresholds,
      onProgress: ({ message, done, total, slices = 0 }) => {
        state.total = Math.max(state.total, slices);
        busy.show(message, done, total);
      },
      onSlice: sliceCame,
      onReading: () => { render(); renderFindings(); },
    });
    viewer = createViewer({ onScroll: (steps) => goTo(state.index + steps), onWindowDrag: (dx, dy) => windows.dragBy(dx, dy), say });
  }).catch(() => {
    bench = null; // the next try asks the server again
    throw new Problem({ code: 'unreachable', ...strings.error.unreachable });
  });
  return bench;
}
for (const sign of ['pointermove', 'pointerdown', 'keydown', 'dragenter']) {
  // A failure is met again, and told, when something is opened.
  document.addEventListener(sign, () => loadBench().catch(() => {}), { once: true, passive: true });
}

async function loadFacts() {
  errors.clear();
  try {
    const facts = await api.models();
    state.facts = facts;
    dropZone.setFacts(facts);
    windows.setFacts(facts);
    byId('disclaimer').textContent = facts.disclaimer;
    byId('version').textContent = strings.version(facts.version);
    setModel(facts.models.find(({ name }) => name === facts.default) ?? facts.models[0]);
    modelChoice.setModels(facts.models, state.model);
    performance.mark('ichor-ready');
    return true;
  } catch (error) {
    fail(error, loadFacts);
    return false;
  }
}

function setModel(model) {
  state.model = model;
  threshold.setModel(model, session.threshold(model.name));
  marks.setModels(state.facts.models, model);
}

function chooseModel(model) {
  setModel(model);
  state.chosen = null;
  if (!session.study) return;
  render();
  renderFindings();
  answerAll();
}

async function fetchSample({ address, file: name }) {
  const response = await fetch(address).catch(() => null);
  if (!response) throw new Problem({ code: 'unreachable', ...strings.error.unreachable });
  if (!response.ok) throw new Problem({ code: 'sample', ...strings.error.sample });
  const blob = await response.blob();
  return [new File([blob], name, { type: blob.type })];
}

/** Opens something new: whatever was shown before goes, so that no finding stands beside another's picture. */
async function open(read, label = null) {
  const job = start(strings.busy.reading);
  session.close();
  Object.assign(state, { index: 0, total: 0, moved: false, chosen: null, window: null });
  findings.clear();
  downloads.clear();
  render();
  await finish(job, () => open(read, label), async () => {
    if (!state.facts && !(await loadFacts())) throw state.problem;
    const opened = performance.now();
    await loadBench();
    await session.open(await read(), label, job.signal);
    document.body.dataset.state = 'open';
    if (currentSlice()) startSlice();
    render();
    // On a narrow page the viewport may lie outside.
    const { top, bottom } = byId('stage').getBoundingClientRect();
    if (top < 0 || bottom > window.innerHeight) byId('viewer').scrollIntoView();
    await answers(job);
    state.timings = { opened_to_finding: Math.round(performance.now() - opened) };
  });
}

/** Asks the chosen model, and the one beside it, for what they have not answered yet. */
async function answerAll() {
  if (!session.study || state.running || !missing()) return; // a job that runs sees to it itself
  const job = start(strings.busy.working(missing().title), true);
  await finish(job, answerAll, () => answers(job));
}

const wanted = () => [state.model, marks.beside?.model && modelNamed(marks.beside.model)].filter(Boolean);
const missing = () => wanted().find(({ name }) => !session.hasAnswer(name));

async function answers(job) {
  for (let model = missing(); model; model = missing()) {
    const message = strings.busy.working(model.title);
    busy.show(message);
    findings.wait(message, session.hasAnswer(state.model.name));
    say(message);
    await session.ask(model, state.facts, job.signal);
    if (model === state.model) answered(model);
    else { render(); renderFindings(); }
  }
}

function answered(model) {
  const { report } = session.answer(model.name);
  state.total = session.study.slices.length;
  if (state.guessed && session.study.window) startSlice();
  if (!state.moved) state.index = report.series?.key_slice ?? 0;
  byId('disclaimer').textContent = report.disclaimer;
  render();
  renderFindings(true);
  offerDownloads(report);
}

function offerDownloads(report) {
  const kinds = ['mask', 'overlay', report.series && 'nifti', offersDicom(report) && 'dicom', 'json'].filter(Boolean);
  downloads.show(session.study.name, kinds, report.series && session.uneven);
}

function sliceCame(index, model) {
  if (model !== state.model) return;
  state.total = Math.max(state.total, session.study.slices.length);
  if (!state.window) startSlice(index);
  if (!currentSlice()?.samples && !state.moved) state.index = index;
  const { slices } = session.answer(model.name);
  const done = Object.values(slices).filter(Boolean).length;
  if (done > 1 || several()) {
    const found = slices.filter((_, at) => regionsOf(at).length).length;
    findings.wait(strings.busy.soFar(found, done), false);
  }
  render();
}

/** Windows that fit the samples of what was opened. */
function startSlice(index = state.index) {
  const { window } = session.study;
  state.guessed = !window; // a job says only at its end what the model's own window is
  windows.start(session.study.slices[index].unit, window ?? state.facts.windows[0]);
}

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
    if (!session.hasAnswer(state.model?.name)) {
      findings.clear();
      downloads.clear();
      say('');
    } else renderFindings();
    fail(error, again);
  }
  if (state.running === job) {
    state.running = null;
    busy.hide();
  }
}

function cancel() {
  state.running?.abort();
  state.running = null;
  busy.hide();
  say(strings.busy.cancelled);
  if (session.hasAnswer(state.model?.name)) return renderFindings();
  session.close();
  Object.assign(state, { index: 0, total: 0 });
  document.body.dataset.state = 'empty';
  gallery.clear();
  findings.clear();
  downloads.clear();
  return render();
}

function fail(error, again) {
  state.problem = asProblem(error);
  errors.show(state.problem, again);
}

function asProblem(error) {
  if (error instanceof Problem) return error;
  console.error(error);
  const { title, detail } = strings.error.unexpected;
  return new Problem({ code: 'unexpected', title, detail: detail(error.name) });
}

// Showing

function goTo(index) {
  const next = Math.min(state.total - 1, Math.max(0, index));
  if (next === state.index || !several()) return;
  Object.assign(state, { index: next, moved: true });
  render();
}

function goToKey() {
  const key = reading()?.sums?.keySlice;
  if (key !== undefined) goTo(key);
}

function setThreshold(value) {
  state.chosen = null;
  session.setThreshold(state.model.name, value);
  render();
}

function showLesion(lesion) {
  state.chosen = lesion?.id ?? null;
  if (lesion) {
    Object.assign(state, { index: lesion.keySlice, moved: true });
    render();
    viewer.center(lesion.centroid);
  } else render();
}

function nextLesion(step) {
  const lesions = reading()?.sums?.lesions ?? [];
  if (!lesions.length) return;
  const at = state.chosen === null ? (step > 0 ? 0 : lesions.length - 1) : (state.chosen - 1 + step + lesions.length) % lesions.length;
  showLesion(lesions[at]);
  renderFindings();
  say(strings.findings.lesion(lesions[at].id));
}

/** One pane's content: what a model outlines on the slice that is shown. */
function paneOf(model) {
  const read = reading(model);
  const regions = read?.regions(state.index) ?? [];
  const idOf = (region, at) => read?.sums?.lesions.find(({ parts }) => parts.some((part) => part.region === region))?.id ?? at + 1;
  return {
    title: model.title,
    color: colorOf(model),
    regions,
    ids: regions.map(idOf),
    probabilities: session.answer(model.name)?.slices[state.index]?.probabilities ?? null,
  };
}

function panesOf() {
  const main = paneOf(state.model);
  const { beside } = marks;
  if (!beside) return [main];
  return beside.plain ? [{ ...main, title: strings.viewer.comparePlain, regions: [], ids: [], bare: true }, main] : [main, paneOf(modelNamed(beside.model))];
}

function render() {
  const slice = currentSlice();
  if (!session.study || !state.window) {
    viewer.show(null);
    strip.show({ total: 0, index: 0 });
    byId('caption').textContent = session.study?.name ?? '';
    return;
  }
  const { slices } = session.answer(state.model.name);
  const read = reading();
  const areas = Array.from({ length: state.total }, (_, at) => (read?.regions(at) ?? []).reduce((sum, { area }) => sum + area, 0));
  const position = several() ? strings.slices.of(state.index + 1, state.total) : '';
  viewer.show({ name: session.study.name, slice, position, several: several(), window: state.window, marks: marks.marks, chosen: state.chosen, panes: panesOf() });
  strip.show({ total: state.total, index: state.index, areas, known: Array.from(areas, (_, at) => Boolean(slices[at])), color: colorOf(state.model), keySlice: read?.sums?.keySlice ?? null });
  byId('three-d').hidden = !(several() && session.hasAnswer(state.model.name));
  byId('caption').textContent = slice ? strings.viewer.caption(session.study.name, slice.width, slice.height) : session.study.name;
  threshold.note(slices[state.index]?.readout?.open === false);
}

function findingOf(model) {
  const report = session.answer(model.name)?.report;
  const sums = reading(model)?.sums;
  return report && sums ? { report, sums, threshold: session.threshold(model.name), several: Boolean(report.series), title: model.title } : null;
}

function renderFindings(announce = false) {
  const finding = state.model && findingOf(state.model);
  if (!finding) return;
  const beside = marks.beside?.model ? findingOf(modelNamed(marks.beside.model)) : null;
  findings.show({ ...finding, label: session.study.label, chosen: state.chosen, other: beside }, state.model, announce);
}

// Saving, sheets, language

async function dicomSegmentation() {
  busy.show(strings.busy.exporting);
  try {
    const options = { model: state.model.name, threshold: session.threshold(state.model.name) };
    return await api.dicomSegmentation(session.study.body, options);
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
  await copy(findingText(finding, { name: session.study.name, model: state.model, disclaimer: finding.report.disclaimer }), strings.findings.copied);
}

async function copyDiagnostics() {
  const { diagnosticsText } = await import('./panels/diagnostics.js');
  const report = state.model && session.answer(state.model.name)?.report;
  await copy(diagnosticsText({ facts: state.facts, model: state.model, report, lastProblem: state.problem, timings: state.timings }), strings.page.diagnosticsDone);
}

async function openAbout() {
  const { openAbout: show } = await import('./panels/about.js');
  show(state.facts?.models ?? [], api.cardUrl, byId('version').textContent);
}

const keysEnabled = () => readSetting('keys', 'on') === 'on';

async function openSheet() {
  const { openShortcutSheet } = await import('./panels/shortcut-sheet.js');
  openShortcutSheet({ enabled: keysEnabled(), onEnabled: (enabled) => keepSetting('keys', enabled ? 'on' : 'off') });
}

async function openVolume() {
  busy.show(strings.busy.opening3d);
  try {
    const { openVolumeView } = await import('./panels/volume-view.js');
    await openVolumeView({ slices: session.study.slices, regionsOf, color: colorOf(state.model), window: state.window });
  } catch (error) {
    fail(error, openVolume);
  } finally {
    busy.hide();
  }
}

function retext() {
  fillTexts(document);
  say('');
  for (const widget of [tools, dropZone, windows, marks, threshold]) widget.retext();
  if (state.facts) {
    modelChoice.setModels(state.facts.models, state.model);
    byId('version').textContent = strings.version(state.facts.version);
  }
  if (!session.study) findings.clear();
  if (session.hasAnswer(state.model?.name)) offerDownloads(session.answer(state.model.name).report);
  render();
  renderFindings();
}

listenToKeys({
  slices: (steps) => goTo(steps === Infinity ? state.total - 1 : steps === -Infinity ? 0 : state.index + steps),
  key: goToKey,
  zoomIn: () => viewer.zoom(1),
  zoomOut: () => viewer.zoom(-1),
  fit: () => viewer.fit(),
  move: (dx, dy) => viewer.move(dx, dy),
  window: (number) => windows.choose(number),
  marks: () => marks.cycleMode(),
  heat: () => marks.toggleHeat(),
  compare: () => marks.cycleCompare(),
  lower: () => threshold.step(-1),
  raise: () => threshold.step(1),
  nextLesion: () => nextLesion(1),
  previousLesion: () => nextLesion(-1),
  ruler: () => { if (session.study) viewer.ruler.toggle(); },
  leaveRuler: () => viewer.ruler.leave(),
  setPoint: () => viewer.ruler.set(),
  moveCross: (dx, dy) => viewer.ruler.move(dx, dy),
  sheet: openSheet,
}, () => ({ enabled: keysEnabled(), measuring: viewer.ruler.active, several: several() }));
byId('three-d').addEventListener('click', openVolume);
byId('diagnostics').addEventListener('click', copyDiagnostics);
byId('invite-sample').addEventListener('click', () => gallery.choose(0));

await tools.start();
retext();
gallery.load();
loadFacts();
import('./offline.js').then(({ keepForOffline }) => keepForOffline());
