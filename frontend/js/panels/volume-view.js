// The series as slices in three planes and as a volume, by NiiVue, which is loaded only here: it is larger than the
// rest of the page together.

import { element } from '../dom.js';
import { maskParts, samplesParts } from '../data/nifti.js';
import { strings } from '../strings.js';

const LIBRARY = '../../vendor/niivue.js';
const VIEWS = ['multi', 'render', 'axial', 'coronal', 'sagittal'];

const bufferOf = (parts) => new Blob(parts).arrayBuffer();

/** Opens the view over the page. `window` {center, width} is the one of the slices, `color` that of the mask. */
export async function openVolumeView({ slices, regionsOf, color, window }) {
  const { Niivue, NVImage, SLICE_TYPE } = await import(LIBRARY);
  const canvas = element('canvas', { tabIndex: 0, 'aria-label': strings.threeD.title });
  const viewer = new Niivue({ isRadiologicalConvention: true, backColor: [0.02, 0.03, 0.04, 1], show3Dcrosshair: true, isOrientCube: true, dragAndDropEnabled: false, logLevel: 'error' });
  const dialog = dialogOf(canvas, viewer, SLICE_TYPE);
  document.body.append(dialog);
  dialog.showModal();
  dialog.addEventListener('close', () => {
    viewer.gl?.getExtension('WEBGL_lose_context')?.loseContext();
    dialog.remove();
  });
  try {
    await viewer.attachToCanvas(canvas);
    if (!viewer.gl) throw new Error('no WebGL 2');
    const head = await NVImage.loadFromUrl({ url: await bufferOf(samplesParts(slices)), name: 'head.nii', colormap: 'gray', cal_min: window.center - window.width / 2, cal_max: window.center + window.width / 2 });
    const mask = await NVImage.loadFromUrl({ url: await bufferOf(maskParts(slices, regionsOf)), name: 'mask.nii', colormap: 'warm', opacity: 0.6, cal_min: 0.5, cal_max: 1 });
    viewer.addColormap('hemorrhage', colormapOf(color));
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

/** From clear to the class colour, so that the mask looks as it does on the slices. */
function colormapOf(color) {
  const [r, g, b] = [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16));
  return { R: [r, r], G: [g, g], B: [b, b], A: [0, 255], I: [0, 255] };
}

function dialogOf(canvas, viewer, types) {
  const say = strings.threeD;
  const typeOf = { multi: types.MULTIPLANAR, render: types.RENDER, axial: types.AXIAL, coronal: types.CORONAL, sagittal: types.SAGITTAL };
  const view = element('select', { 'aria-label': say.views }, ...VIEWS.map((name) => element('option', { value: name }, say[name])));
  view.addEventListener('change', () => viewer.setSliceType(typeOf[view.value]));
  const [turn, tilt] = [[say.turn, 110, 0, 360], [say.tilt, 10, -90, 90]].map(([label, value, min, max]) => {
    const input = element('input', { type: 'range', min, max, value });
    input.addEventListener('input', () => viewer.setRenderAzimuthElevation(Number(turn.input.value), Number(tilt.input.value)));
    return { input, label: element('label', { className: 'slide' }, label, ' ', input) };
  });
  const close = element('button', { type: 'button' }, strings.page.close);
  const dialog = element('dialog', { className: 'volume', 'aria-label': say.title },
    element('div', { className: 'toolbar-3d' }, element('strong', {}, say.title),
      element('label', { className: 'choice' }, `${say.views} `, view), turn.label, tilt.label,
      element('span', { className: 'quiet' }, say.note), element('div', { className: 'buttons' }, close)),
    element('div', { className: 'stage-3d' }, canvas));
  close.addEventListener('click', () => dialog.close());
  return dialog;
}
