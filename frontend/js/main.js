// Creates the widgets, holds the page's state, and wires both to the modules that act on them.

import { createApi } from './api.js';
import { createAnalysis } from './analysis.js';
import { createSelection } from './selection.js';
import { byId } from './dom.js';
import { createNavigation } from './navigation.js';
import { emptyViewer, createEmptySession } from './placeholders.js';
import { createIntake } from './intake.js';
import { createLocation } from './device/location.js';
import { createBusy } from './panels/busy.js';
import { createDownloads } from './panels/downloads.js';
import { createDropZone } from './panels/drop-zone.js';
import { createErrorPanel } from './panels/error-panel.js';
import { createFindings } from './panels/findings.js';
import { createGallery } from './panels/gallery.js';
import { createLocationChoice } from './panels/location-choice.js';
import { createModelChoice } from './panels/model-choice.js';
import { createPageSettings } from './panels/page-settings.js';
import { createThreshold } from './panels/threshold.js';
import { createTaskRunner } from './task-runner.js';
import { createExportActions } from './export-actions.js';
import { saveSetting, readSetting } from './settings.js';
import { listenToKeys } from './shortcuts.js';
import { createRenderer } from './renderer.js';
import { fillTexts, strings } from './strings.js';
import { createOverlayControls } from './view/overlay-controls.js';
import { createSliceStrip } from './view/slice-strip.js';
import { createWindowControls } from './view/window-controls.js';

/** @type {State} */
const state = { serverInfo: null, model: null, index: 0, total: 0, hasNavigated: false, selectedLesion: null, window: null, isWindowProvisional: false, task: null, lastProblem: null, timings: {} };
const apiBase = /** @type {HTMLMetaElement} */ (document.querySelector('meta[name="ichor-api"]')).content;
const location = createLocation(apiBase === 'none' ? null : createApi(apiBase));
/** Thresholds that the visitor set, by model name. @type {Map<string, number>} */
const thresholds = new Map();

const busy = createBusy({ onCancel: () => page.cancel() });
const errorPanel = createErrorPanel();
const findings = createFindings({ lesion: (lesion) => page.showLesion(lesion), keySlice: () => page.goToKeySlice(), copy: () => page.copyFindings(), calculators: openCalculators, series: (number) => page.openSeries(number) });
const windowControls = createWindowControls({ onWindow: (window) => { state.window = window; page.render(); } });
const overlayControls = createOverlayControls({ onOverlay: () => page.render(), onCompare: () => { page.render(); page.analyzeMissing(); } });
const sliceStrip = createSliceStrip({ onSlice: (index) => page.goTo(index), onKeySlice: () => page.goToKeySlice() });
const thresholdControl = createThreshold({ onThreshold: setThreshold });
const modelChoice = createModelChoice({ onModel: selectModel, cardUrl: location.cardUrl });
const locationChoice = createLocationChoice({ location });
const gallery = createGallery({ onSample: (sample) => page.openSample(sample) });
const dropZone = createDropZone({ onFiles: (files) => { gallery.clear(); page.open(async () => files); } });
const downloads = createDownloads({
  exporters: Object.fromEntries(['mask', 'overlay', 'nifti', 'json', 'dicom', 'html'].map((kind) => [kind, () => page.exporters[kind]()])),
  onSaved: (name) => findings.announce(strings.downloads.saved(name)),
  onFailure: (error, retry) => page.showFailure(error, retry),
});
const pageSettings = createPageSettings({ onLanguage: updateTexts, onAbout: openAbout, onShortcuts: openShortcuts });

/** Shared by the modules, each of which adds its functions. `session` and `viewer` are replaced when something is first opened. @type {Page} */
const page = /** @type {any} */ ({
  state, location, thresholds, busy, errorPanel, findings, windowControls, overlayControls, sliceStrip, thresholdControl, gallery, downloads, loadServerInfo,
  session: createEmptySession(thresholds),
  viewer: emptyViewer,
  announce: (message) => findings.announce(message),
});
for (const create of [createSelection, createRenderer, createNavigation, createTaskRunner, createExportActions, createAnalysis, createIntake]) {
  Object.assign(page, create(page));
}

async function loadServerInfo() {
  errorPanel.clear();
  try {
    const serverInfo = await location.models();
    state.serverInfo = serverInfo;
    dropZone.setServerInfo(serverInfo);
    windowControls.setServerInfo(serverInfo);
    byId('disclaimer').textContent = serverInfo.disclaimer;
    byId('version').textContent = strings.version(serverInfo.version);
    setModel(serverInfo.models.find(({ name }) => name === serverInfo.default) ?? serverInfo.models[0]);
    modelChoice.setModels(serverInfo.models, state.model);
    locationChoice.updateTexts();
    performance.mark('ichor-ready');
    return true;
  } catch (error) {
    page.showFailure(error, loadServerInfo);
    return false;
  }
}

/** @param {Model} model */
function setModel(model) {
  state.model = model;
  thresholdControl.setModel(model, page.session.threshold(model.name));
  overlayControls.setModels(state.serverInfo.models, model);
}

/** @param {Model} model */
function selectModel(model) {
  setModel(model);
  state.selectedLesion = null;
  if (!page.session.study) return;
  // Without a result of the new model there is nothing to save.
  if (page.session.hasResult(model.name)) page.offerDownloads();
  else downloads.clear();
  page.render();
  page.renderFindings();
  page.analyzeMissing();
}

/** @param {number | null} value null for the model's own */
function setThreshold(value) {
  state.selectedLesion = null;
  page.session.setThreshold(state.model.name, value);
  page.render();
}

async function openAbout() {
  const { openAbout: show } = await import('./panels/about.js');
  show(state.serverInfo?.models ?? [], location.cardUrl, byId('version').textContent);
}

async function openCalculators() {
  const { openCalculators: show } = await import('./panels/calculators.js');
  await show(page.findingOf(state.model));
}

const areLettersEnabled = () => readSetting('keys', 'on') === 'on';

async function openShortcuts() {
  const { openShortcutSheet } = await import('./panels/shortcut-sheet.js');
  openShortcutSheet({ enabled: areLettersEnabled(), onEnabled: (enabled) => saveSetting('keys', enabled ? 'on' : 'off') });
}

async function openVolume() {
  busy.show(strings.busy.opening3d);
  try {
    const { openVolumeView } = await import('./panels/volume-view.js');
    await openVolumeView({ slices: page.session.study.slices, regionsOf: page.regionsOf, color: page.colorOf(state.model), window: state.window });
  } catch (error) {
    page.showFailure(error, openVolume);
  } finally {
    busy.hide();
  }
}

function updateTexts() {
  fillTexts(document);
  page.announce('');
  for (const widget of [pageSettings, dropZone, locationChoice, gallery, windowControls, overlayControls, thresholdControl]) widget.updateTexts();
  if (state.serverInfo) {
    modelChoice.setModels(state.serverInfo.models, state.model);
    byId('version').textContent = strings.version(state.serverInfo.version);
  }
  if (!page.session.study) findings.clear();
  else if (!state.task && !page.session.hasResult(state.model?.name)) findings.showNoResult();
  if (page.session.hasResult(state.model?.name)) page.offerDownloads();
  page.render();
  page.renderFindings();
  page.showPictureResult();
}

listenToKeys({
  goBySlices: (steps) => page.goTo(steps === Infinity ? state.total - 1 : steps === -Infinity ? 0 : state.index + steps),
  keySlice: page.goToKeySlice,
  zoomIn: () => page.viewer.zoom(1),
  zoomOut: () => page.viewer.zoom(-1),
  fit: () => page.viewer.fit(),
  pan: (dx, dy) => page.viewer.pan(dx, dy),
  window: (number) => windowControls.choose(number),
  overlay: () => overlayControls.cycleMode(),
  heat: () => overlayControls.toggleHeat(),
  compare: () => overlayControls.cycleCompare(),
  lower: () => thresholdControl.step(-1),
  raise: () => thresholdControl.step(1),
  nextLesion: () => page.stepLesion(1),
  previousLesion: () => page.stepLesion(-1),
  ruler: () => { if (page.session.study) page.viewer.ruler.toggle(); },
  closeRuler: () => page.viewer.ruler.close(),
  placePoint: () => page.viewer.ruler.placePoint(),
  moveCursor: (dx, dy) => page.viewer.ruler.move(dx, dy),
  shortcuts: openShortcuts,
}, () => ({ areLettersEnabled: areLettersEnabled(), isMeasuring: page.viewer.ruler.isActive, hasSeveralSlices: page.hasSeveralSlices() }));
byId('three-d').addEventListener('click', openVolume);
byId('diagnostics').addEventListener('click', () => page.copyDiagnostics());
byId('welcome-sample').addEventListener('click', () => gallery.openFeatured());

await pageSettings.start();
updateTexts();
gallery.load();
loadServerInfo();
import('./offline.js').then(({ registerServiceWorker }) => registerServiceWorker());
