// The controller: holds the state, calls the API, tells each widget what to show.

import { createApi, Problem } from './api.js';
import { createBusy } from './busy.js';
import { byId } from './dom.js';
import { createDownloads } from './downloads.js';
import { createDropZone } from './drop-zone.js';
import { createErrorPanel } from './error-panel.js';
import { createFindings } from './findings.js';
import { bytes } from './format.js';
import { createGallery } from './gallery.js';
import { createModelChoice } from './model-choice.js';
import { decodeImage } from './slice-image.js';
import { fillTexts, strings } from './strings.js';
import { createThreshold } from './threshold.js';
import { createViewer } from './viewer.js';

fillTexts(document);

const api = createApi(document.querySelector('meta[name="ichor-api"]').content);
const viewer = createViewer();
const findings = createFindings({ onLesion: viewer.choose });
const downloads = createDownloads();
const errors = createErrorPanel();
const busy = createBusy({ onCancel: () => cancel() });
const gallery = createGallery({ onSample: (sample) => open(() => fetchSample(sample), { name: sample.file, label: sample.label }) });
const dropZone = createDropZone({ onFile: (file) => { gallery.clear(); open(async () => file, { name: file.name }); } });
const modelChoice = createModelChoice({ onModel: chooseModel, cardUrl: api.cardUrl });
const threshold = createThreshold({ onThreshold: chooseThreshold });

/** facts: the answer of /v1/models; slice: {file, name, label}; threshold: null for the model's own. */
const state = { facts: null, model: null, threshold: null, slice: null, running: null };

async function loadFacts() {
  errors.clear();
  try {
    const facts = await api.models();
    state.facts = facts;
    dropZone.setFacts(facts);
    byId('disclaimer').textContent = facts.disclaimer;
    byId('version').textContent = strings.version(facts.version);
    state.model = facts.models.find(({ name }) => name === facts.default) ?? facts.models[0];
    modelChoice.setModels(facts.models, state.model);
    threshold.setModel(state.model);
    return true;
  } catch (error) {
    errors.show(asProblem(error), loadFacts);
    return false;
  }
}

function chooseModel(model) {
  Object.assign(state, { model, threshold: null });
  threshold.setModel(model);
  if (state.slice) segment();
}

function chooseThreshold(value) {
  state.threshold = value;
  if (state.slice) segment();
}

async function fetchSample({ address, file: name }) {
  const response = await fetch(address).catch(() => null);
  if (!response) throw new Problem({ code: 'unreachable', ...strings.error.unreachable });
  if (!response.ok) throw new Problem({ code: 'sample', ...strings.error.sample });
  const blob = await response.blob();
  return new File([blob], name, { type: blob.type });
}

/** Opens a new slice: whatever was shown before goes, so that no finding stands beside another's picture. */
async function open(read, { name, label = null }) {
  const job = start(strings.busy.loading);
  state.slice = null;
  viewer.blank();
  findings.clear();
  downloads.clear();
  await finish(job, () => open(read, { name, label }), async () => {
    if (!state.facts && !(await loadFacts())) throw new Problem({ code: 'unreachable', ...strings.error.unreachable });
    const blob = await read();
    checkSize(blob);
    const picture = await decodeImage(blob);
    if (job.signal.aborted) return;
    state.slice = { file: blob, name, label };
    viewer.showOriginal(state.slice.name, picture);
    await segment();
  });
}

/** Asks for the open slice's segmentation with the chosen model and threshold. */
async function segment() {
  const { slice, model } = state;
  const message = strings.busy.working(model.title);
  const job = start(message, !byId('downloads').hidden);
  await finish(job, segment, async () => {
    const report = await api.segment(slice.file, { model: model.name, threshold: state.threshold }, job.signal);
    if (job.signal.aborted) return;
    await viewer.showReport(report, model.classes[0].color);
    findings.show(report, model, slice.label);
    downloads.show(report, slice.name);
    byId('disclaimer').textContent = report.disclaimer;
  });
}

/** Begins a job, which ends the one before it. */
function start(message, keepFindings = false) {
  state.running?.abort();
  const job = new AbortController();
  state.running = job;
  errors.clear();
  busy.show(message);
  findings.wait(message, keepFindings);
  return job;
}

/** Runs a job's work; a failure is shown only when no later job has taken over. */
async function finish(job, again, work) {
  try {
    await work();
  } catch (error) {
    if (state.running !== job || job.signal.aborted) return;
    showFailure(error, again);
  }
  if (state.running === job) {
    state.running = null;
    busy.hide();
  }
}

function showFailure(error, again) {
  findings.clear();
  findings.say('');
  downloads.clear();
  viewer.dropReport();
  errors.show(asProblem(error), again);
}

function cancel() {
  state.running?.abort();
  state.running = null;
  busy.hide();
  state.slice = null;
  viewer.blank();
  gallery.clear();
  findings.clear();
  findings.say(strings.busy.cancelled);
  downloads.clear();
}

function checkSize(blob) {
  const limit = state.facts.limits.max_body_bytes;
  if (blob.size <= limit) return;
  const { title, detail } = strings.error.tooLarge;
  throw new Problem({ code: 'payload_too_large', status: 413, title, detail: detail(bytes(blob.size), bytes(limit)) });
}

function asProblem(error) {
  if (error instanceof Problem) return error;
  console.error(error);
  const { title, detail } = strings.error.unexpected;
  return new Problem({ code: 'unexpected', title, detail: detail(error.name) });
}

gallery.load();
loadFacts();
