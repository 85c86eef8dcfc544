// The controller: makes the widgets, holds what is chosen, and wires both to the modules that act on them.

import { createApi } from './api.js';
import { createAsking } from './asking.js';
import { createChosen } from './chosen.js';
import { byId } from './dom.js';
import { createMoving } from './moving.js';
import { noViewer, nothingOpen } from './nothing-open.js';
import { createOpening } from './opening.js';
import { createBusy } from './panels/busy.js';
import { createDownloads } from './panels/downloads.js';
import { createDropZone } from './panels/drop-zone.js';
import { createErrorPanel } from './panels/error-panel.js';
import { createFindings } from './panels/findings.js';
import { createGallery } from './panels/gallery.js';
import { createModelChoice } from './panels/model-choice.js';
import { createPageTools } from './panels/page-tools.js';
import { createThreshold } from './panels/threshold.js';
import { createRunning } from './running.js';
import { createSaving } from './saving.js';
import { keepSetting, readSetting } from './settings.js';
import { listenToKeys } from './shortcuts.js';
import { createShowing } from './showing.js';
import { fillTexts, strings } from './strings.js';
import { createMarkControls } from './view/mark-controls.js';
import { createSliceStrip } from './view/slice-strip.js';
import { createWindowControls } from './view/window-controls.js';

/** facts: the answer of /v1/models; index: the slice that is shown; total: how many there will be. */
const state = { facts: null, model: null, index: 0, total: 0, moved: false, chosen: null, window: null, running: null, problem: null, timings: {} };
const api = createApi(document.querySelector('meta[name="ichor-api"]').content);
const thresholds = new Map(); // by model; those that the visitor moved

const busy = createBusy({ onCancel: () => page.cancel() });
const errors = createErrorPanel();
const findings = createFindings({ lesion: (lesion) => page.showLesion(lesion), key: () => page.goToKey(), copy: () => page.copyFindings(), series: (number) => page.openSeries(number) });
const windows = createWindowControls({ onWindow: (window) => { state.window = window; page.render(); } });
const marks = createMarkControls({ onMarks: () => page.render(), onCompare: () => { page.render(); page.answerAll(); } });
const strip = createSliceStrip({ onSlice: (index) => page.goTo(index), onKey: () => page.goToKey() });
const threshold = createThreshold({ onThreshold: setThreshold });
const modelChoice = createModelChoice({ onModel: chooseModel, cardUrl: api.cardUrl });
const gallery = createGallery({ onSample: (sample) => page.openSample(sample) });
const dropZone = createDropZone({ onFiles: (files) => { gallery.clear(); page.open(async () => files); } });
const downloads = createDownloads({
  make: Object.fromEntries(['mask', 'overlay', 'nifti', 'json', 'dicom'].map((kind) => [kind, () => page.make[kind]()])),
  onSaved: (name) => findings.say(strings.downloads.saved(name)),
  onFailure: (error, again) => page.fail(error, again),
});
const tools = createPageTools({ onLanguage: retext, onAbout: openAbout, onShortcuts: openSheet });

/** What the modules share. `session` and `viewer` are replaced when something is first opened; each module adds what it can do. */
const page = {
  state, api, thresholds, busy, errors, findings, windows, marks, strip, threshold, gallery, downloads, loadFacts,
  session: nothingOpen(thresholds),
  viewer: noViewer,
  say: (message) => findings.say(message),
};
for (const create of [createChosen, createShowing, createMoving, createRunning, createSaving, createAsking, createOpening]) {
  Object.assign(page, create(page));
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
    page.fail(error, loadFacts);
    return false;
  }
}

function setModel(model) {
  state.model = model;
  threshold.setModel(model, page.session.threshold(model.name));
  marks.setModels(state.facts.models, model);
}

function chooseModel(model) {
  setModel(model);
  state.chosen = null;
  if (!page.session.study) return;
  // Files made now would hold what the new model has not said yet.
  if (page.session.hasAnswer(model.name)) page.offerDownloads();
  else downloads.clear();
  page.render();
  page.renderFindings();
  page.answerAll();
}

function setThreshold(value) {
  state.chosen = null;
  page.session.setThreshold(state.model.name, value);
  page.render();
}

// Sheets, 3D, language

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
    await openVolumeView({ slices: page.session.study.slices, regionsOf: page.regionsOf, color: page.colorOf(state.model), window: state.window });
  } catch (error) {
    page.fail(error, openVolume);
  } finally {
    busy.hide();
  }
}

function retext() {
  fillTexts(document);
  page.say('');
  for (const widget of [tools, dropZone, windows, marks, threshold]) widget.retext();
  if (state.facts) {
    modelChoice.setModels(state.facts.models, state.model);
    byId('version').textContent = strings.version(state.facts.version);
  }
  if (!page.session.study) findings.clear();
  else if (!state.running && !page.session.hasAnswer(state.model?.name)) findings.fail();
  if (page.session.hasAnswer(state.model?.name)) page.offerDownloads();
  page.render();
  page.renderFindings();
  page.showPicture();
}

listenToKeys({
  slices: (steps) => page.goTo(steps === Infinity ? state.total - 1 : steps === -Infinity ? 0 : state.index + steps),
  key: page.goToKey,
  zoomIn: () => page.viewer.zoom(1),
  zoomOut: () => page.viewer.zoom(-1),
  fit: () => page.viewer.fit(),
  move: (dx, dy) => page.viewer.move(dx, dy),
  window: (number) => windows.choose(number),
  marks: () => marks.cycleMode(),
  heat: () => marks.toggleHeat(),
  compare: () => marks.cycleCompare(),
  lower: () => threshold.step(-1),
  raise: () => threshold.step(1),
  nextLesion: () => page.nextLesion(1),
  previousLesion: () => page.nextLesion(-1),
  ruler: () => { if (page.session.study) page.viewer.ruler.toggle(); },
  leaveRuler: () => page.viewer.ruler.leave(),
  setPoint: () => page.viewer.ruler.set(),
  moveCross: (dx, dy) => page.viewer.ruler.move(dx, dy),
  sheet: openSheet,
}, () => ({ enabled: keysEnabled(), measuring: page.viewer.ruler.active, several: page.several() }));
byId('three-d').addEventListener('click', openVolume);
byId('diagnostics').addEventListener('click', () => page.copyDiagnostics());
byId('invite-sample').addEventListener('click', () => gallery.choose(0));

await tools.start();
retext();
gallery.load();
loadFacts();
import('./offline.js').then(({ keepForOffline }) => keepForOffline());
