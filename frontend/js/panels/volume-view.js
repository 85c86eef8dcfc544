// The 3D view of a series, by NiiVue, which is loaded only here: it is larger than the rest of the page.

import { Problem } from '../api.js';
import { element } from '../dom.js';
import { maskParts, samplesParts } from '../data/nifti.js';
import { strings } from '../strings.js';

const LIBRARY = '../../vendor/niivue.js';
const VIEWS = ['multi', 'render', 'axial', 'coronal', 'sagittal'];

const toBuffer = (parts) => new Blob(parts).arrayBuffer();

/** @param {{slices: Slice[], regionsOf: (index: number) => Region[], color: string, window: Window_}} volume */
export async function openVolumeView({ slices, regionsOf, color, window }) {
  const { Niivue, NVImage, SLICE_TYPE } = await import(LIBRARY);
  const canvas = element('canvas', { tabIndex: 0, 'aria-label': strings.threeD.title });
  const viewer = new Niivue({ isRadiologicalConvention: true, backColor: [0.02, 0.03, 0.04, 1], show3Dcrosshair: true, isOrientCube: true, dragAndDropEnabled: false, logLevel: 'error' });
  const dialog = createDialog(canvas, viewer, SLICE_TYPE);
  document.body.append(dialog);
  dialog.showModal();
  dialog.addEventListener('close', () => {
    viewer.gl?.getExtension('WEBGL_lose_context')?.loseContext();
    dialog.remove();
  });
  try {
    await viewer.attachToCanvas(canvas);
    if (!viewer.gl) throw new Problem({ code: 'no_webgl', status: 422, ...strings.error.noWebGl });
    const head = await NVImage.loadFromUrl({ url: await toBuffer(samplesParts(slices)), name: 'head.nii', colormap: 'gray', cal_min: window.center - window.width / 2, cal_max: window.center + window.width / 2 });
    const mask = await NVImage.loadFromUrl({ url: await toBuffer(maskParts(slices, regionsOf)), name: 'mask.nii', colormap: 'warm', opacity: 0.6, cal_min: 0.5, cal_max: 1 });
    viewer.addColormap('hemorrhage', createColormap(color));
    viewer.addVolume(head);
    viewer.addVolume(mask);
    viewer.setColormap(mask.id, 'hemorrhage');
    viewer.setSliceType(SLICE_TYPE.MULTIPLANAR);
    dialog.dataset.ready = 'true';
  } catch (error) {
    dialog.close();
    throw error;
  }
}

/** From transparent to the class colour, as on the slices. @param {string} color */
function createColormap(color) {
  const [r, g, b] = [1, 3, 5].map((start) => parseInt(color.slice(start, start + 2), 16));
  return { R: [r, r], G: [g, g], B: [b, b], A: [0, 255], I: [0, 255] };
}

function createDialog(canvas, viewer, types) {
  const texts = strings.threeD;
  const typeOf = { multi: types.MULTIPLANAR, render: types.RENDER, axial: types.AXIAL, coronal: types.CORONAL, sagittal: types.SAGITTAL };
  const view = element('select', { 'aria-label': texts.views }, ...VIEWS.map((name) => element('option', { value: name }, texts[name])));
  view.addEventListener('change', () => viewer.setSliceType(typeOf[view.value]));
  const [turn, tilt] = /** @type {[string, number, number, number][]} */ ([[texts.turn, 110, 0, 360], [texts.tilt, 10, -90, 90]]).map(([label, value, min, max]) => {
    const input = element('input', { type: 'range', min, max, value });
    input.addEventListener('input', () => viewer.setRenderAzimuthElevation(Number(turn.input.value), Number(tilt.input.value)));
    return { input, label: element('label', { className: 'slider' }, label, ' ', input) };
  });
  const close = element('button', { type: 'button' }, strings.page.close);
  const dialog = element('dialog', { className: 'volume', 'aria-label': texts.title },
    element('div', { className: 'volume-toolbar' }, element('strong', {}, texts.title),
      element('label', { className: 'select-field' }, `${texts.views} `, view), turn.label, tilt.label,
      element('span', { className: 'secondary' }, texts.note), element('div', { className: 'buttons' }, close)),
    element('div', { className: 'volume-viewport' }, canvas));
  close.addEventListener('click', () => dialog.close());
  return dialog;
}
