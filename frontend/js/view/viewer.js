// The viewport: one slice in one or two panes, which share zoom and centre.

import { byId } from '../dom.js';
import { strings } from '../strings.js';
import { paintPane } from './pane-painter.js';
import { createViewTransform, describeShape, toImage } from './transform.js';
import { listenToGestures } from './gestures.js';
import { createLayer, drawHeat, drawRegions, drawSamples, createOutline } from './layers.js';
import { createRuler } from './ruler.js';
import { createViewportLabels } from './viewport-labels.js';

const ZOOM_STEP = 1.4;
const PAN_STEP_PX = 60;

/**
 * @param {{onScroll: (steps: number) => void, onWindowDrag: (dx: number, dy: number) => void, announce: (message: string) => void}} options
 * @returns {Viewer}
 */
export function createViewer({ onScroll, onWindowDrag, announce }) {
  const viewport = byId('viewport');
  const panes = ['pane-a', 'pane-b'].map((id) => ({ node: byId(id), canvas: byId(id).querySelector('canvas'), caption: byId(id).querySelector('figcaption'), fill: createLayer(), heat: createLayer(), outlines: /** @type {any[]} */ ([]) }));
  const base = createLayer();
  const labels = createViewportLabels();
  /** @type {any} */
  let scene = null;
  /** @type {any} */
  let shape = null;
  /** Content of the layers. @type {any} */
  let lastDrawn = {};
  let frame = 0;

  const schedule = () => { frame ||= requestAnimationFrame(draw); };
  const view = createViewTransform(() => { showZoom(); schedule(); });
  const ruler = createRuler({ onChange: schedule, sliceOf: () => scene?.slice, announce });
  const sizeOf = ({ canvas }) => ({ width: canvas.clientWidth, height: canvas.clientHeight });
  const hasSamples = () => scene?.slice?.samples;

  const showZoom = () => {
    const isZoomed = view.zoom > 1;
    byId('pan-buttons').hidden = !isZoomed;
    byId('zoom-out').disabled = !isZoomed;
    viewport.dataset.scroll = String(isZoomed || Boolean(scene?.hasSeveralSlices));
  };

  /** Redraws only the layers whose content changed: one pass for a new slice, none for a zoom. */
  const fillLayers = () => {
    const { slice, window } = scene;
    if (lastDrawn.slice !== slice || lastDrawn.window !== window) drawSamples(base, slice, window);
    panes.forEach((pane, index) => {
      const content = scene.panes[index];
      if (!content) return;
      const previous = lastDrawn.panes?.[index] ?? {};
      const isNewSlice = lastDrawn.slice !== slice;
      if (isNewSlice || previous.regions !== content.regions || previous.color !== content.color) {
        drawRegions(pane.fill, slice, content.regions, content.color);
        pane.outlines = content.regions.map((region) => ({ region, path: createOutline(region) }));
      }
      if (scene.overlay.heat && (isNewSlice || !lastDrawn.heat || previous.probabilities !== content.probabilities)) drawHeat(pane.heat, slice, content.probabilities);
    });
    lastDrawn = { slice, window, heat: scene.overlay.heat, panes: scene.panes };
  };

  function draw() {
    frame = 0;
    if (!hasSamples()) {
      for (const { canvas } of panes) canvas.getContext('2d').clearRect(0, 0, canvas.width, canvas.height);
      labels.clear(scene?.position);
      return;
    }
    fillLayers();
    panes.forEach((pane, index) => drawPane(pane, scene.panes[index]));
    const { width, height } = sizeOf(panes[0]);
    labels.show(scene.slice, shape, view.transform({ width, height }, shape), width, scene);
  }

  const drawPane = (pane, content) => {
    const { canvas } = pane;
    const density = window.devicePixelRatio;
    const size = { width: Math.round(canvas.clientWidth * density), height: Math.round(canvas.clientHeight * density) };
    if (!content || !size.width || !size.height) return; // hidden in this layout
    if (canvas.width !== size.width || canvas.height !== size.height) Object.assign(canvas, size);
    const { fill, outline, heat, opacity } = content.isPlain ? {} : scene.overlay;
    paintPane(canvas, {
      base,
      heat: heat ? pane.heat : null,
      fill: fill ? pane.fill : null,
      outlines: outline ? pane.outlines.map((entry, index) => ({ ...entry, id: content.ids[index] })) : [],
      color: content.color,
      opacity,
      selectedLesion: scene.selectedLesion,
      transform: view.transform(size, shape),
      density,
      ruler: ruler.drawing,
    });
  };

  const zoomBy = (factor, point) => {
    if (!hasSamples()) return;
    if (factor === 0) view.fit();
    else view.zoomBy(factor, sizeOf(panes[0]), shape, point);
  };
  const panBy = (dx, dy) => { if (hasSamples()) view.panBy(dx, dy, sizeOf(panes[0]), shape); };

  listenToGestures(viewport, {
    point: (point) => { if (hasSamples()) ruler.add(toImage(view.transform(sizeOf(panes[0]), shape), point)); },
    hover: (event, point) => { if (hasSamples()) labels.showValue(scene.slice, event && toImage(view.transform(sizeOf(panes[0]), shape), point)); },
    pan: panBy,
    zoom: zoomBy,
    scroll: onScroll,
    window: onWindowDrag,
  }, () => ({ hasSeveralSlices: Boolean(scene?.hasSeveralSlices), isZoomed: view.zoom > 1, isMeasuring: ruler.isActive }));
  byId('zoom-in').addEventListener('click', () => zoomBy(ZOOM_STEP));
  byId('zoom-out').addEventListener('click', () => zoomBy(1 / ZOOM_STEP));
  byId('zoom-fit').addEventListener('click', () => zoomBy(0));
  for (const button of byId('pan-buttons').querySelectorAll('button')) {
    const [dx, dy] = button.dataset.pan.split(',').map(Number);
    button.addEventListener('click', () => panBy(dx * PAN_STEP_PX, dy * PAN_STEP_PX));
  }
  // On a narrow page the tools are closed at first, so that the findings are nearer.
  document.body.dataset.tools = 'closed';
  byId('toolbar-toggle').addEventListener('click', ({ currentTarget }) => {
    const open = document.body.dataset.tools === 'closed';
    document.body.dataset.tools = open ? 'open' : 'closed';
    currentTarget.setAttribute('aria-expanded', String(open));
  });
  new ResizeObserver(schedule).observe(viewport);
  showZoom();

  const describe = () => {
    panes.forEach(({ canvas, caption }, index) => {
      const content = scene?.panes[index];
      caption.textContent = content?.title ?? '';
      const { overlayLabel, plainLabel } = strings.viewer;
      canvas.setAttribute('aria-label', !content ? strings.viewer.title
        : content.isPlain || !content.hasResult ? plainLabel(scene.name) : overlayLabel(scene.name, content.title, content.isUnreadable ? null : content.regions.length));
    });
    if (hasSamples()) panes[0].canvas.setAttribute('aria-description', labels.describe(scene.slice, shape, scene.hasReport));
    else panes[0].canvas.removeAttribute('aria-description');
  };

  return {
    ruler,
    /** Shows a scene; null clears the viewport. */
    show(next) {
      const isOtherSlice = next?.slice !== scene?.slice;
      scene = next;
      shape = next?.slice ? describeShape(next.slice) : null;
      if (isOtherSlice && ruler.isActive) ruler.clear();
      if (!next) {
        lastDrawn = {};
        if (ruler.isActive) ruler.close();
      }
      describe();
      showZoom();
      schedule();
    },
    /** Draws without waiting for the next frame, for tests. */
    drawNow() {
      cancelAnimationFrame(frame);
      draw();
    },
    fit: () => view.fit(),
    zoom: (direction) => zoomBy(direction > 0 ? ZOOM_STEP : 1 / ZOOM_STEP),
    pan: (dx, dy) => panBy(dx * PAN_STEP_PX, dy * PAN_STEP_PX),
    center: (point) => { if (hasSamples()) view.center(point, shape); },
  };
}
