// The viewport: one slice in one or two panes, each with its own marks, under one zoom.

import { byId } from '../dom.js';
import { strings } from '../strings.js';
import { paint } from './paint.js';
import { createView, shapeOf, toImage } from './place.js';
import { createPointer } from './pointer.js';
import { createLayer, drawHeat, drawRegions, drawSamples, outlineOf } from './raster.js';
import { createRuler } from './ruler.js';
import { createStageMarks } from './stage-marks.js';

const STEP = 1.4; // a press of the zoom buttons
const MOVE_PX = 60;

/**
 * Calls `onScroll(steps)` and `onWindowDrag(dx, dy)`; `say(text)` speaks to screen readers.
 * What is shown is a scene: {name, slice, position, several, window, marks, chosen, panes: [{title, color, regions, ids,
 * probabilities, bare, answered, unread}]}; `unread`: the model answered that it could not read this slice.
 */
export function createViewer({ onScroll, onWindowDrag, say }) {
  const stage = byId('stage');
  const panes = ['pane-a', 'pane-b'].map((id) => ({ node: byId(id), canvas: byId(id).querySelector('canvas'), caption: byId(id).querySelector('figcaption'), fill: createLayer(), heat: createLayer(), outlines: [] }));
  const base = createLayer();
  const marks = createStageMarks();
  let scene = null;
  let shape = null;
  let drawn = {}; // what the layers hold
  let frame = 0;

  const schedule = () => { frame ||= requestAnimationFrame(draw); };
  const view = createView(() => { showZoom(); schedule(); });
  const ruler = createRuler({ onChange: schedule, sliceOf: () => scene?.slice, say });
  const sizeOf = ({ canvas }) => ({ width: canvas.clientWidth, height: canvas.clientHeight });
  const usable = () => scene?.slice?.samples;

  const showZoom = () => {
    const zoomed = view.zoom > 1;
    byId('move').hidden = !zoomed;
    byId('zoom-out').disabled = !zoomed;
    stage.dataset.scroll = String(zoomed || Boolean(scene?.several));
  };

  /** Renews the layers whose content changed, and no other: a slice change costs one pass, a zoom none. */
  const fillLayers = () => {
    const { slice, window } = scene;
    if (drawn.slice !== slice || drawn.window !== window) drawSamples(base, slice, window);
    panes.forEach((pane, at) => {
      const content = scene.panes[at];
      if (!content) return;
      const before = drawn.panes?.[at] ?? {};
      const fresh = drawn.slice !== slice;
      if (fresh || before.regions !== content.regions || before.color !== content.color) {
        drawRegions(pane.fill, slice, content.regions, content.color);
        pane.outlines = content.regions.map((region) => ({ region, path: outlineOf(region) }));
      }
      if (scene.marks.heat && (fresh || !drawn.heat || before.probabilities !== content.probabilities)) drawHeat(pane.heat, slice, content.probabilities);
    });
    drawn = { slice, window, heat: scene.marks.heat, panes: scene.panes };
  };

  function draw() {
    frame = 0;
    if (!usable()) {
      for (const { canvas } of panes) canvas.getContext('2d').clearRect(0, 0, canvas.width, canvas.height);
      marks.clear(scene?.position);
      return;
    }
    fillLayers();
    panes.forEach((pane, at) => drawPane(pane, scene.panes[at]));
    const { width, height } = sizeOf(panes[0]);
    marks.show(scene.slice, shape, view.place({ width, height }, shape), width, scene.position);
  }

  const drawPane = (pane, content) => {
    const { canvas } = pane;
    const density = window.devicePixelRatio;
    const size = { width: Math.round(canvas.clientWidth * density), height: Math.round(canvas.clientHeight * density) };
    if (!content || !size.width || !size.height) return; // hidden in this layout
    if (canvas.width !== size.width || canvas.height !== size.height) Object.assign(canvas, size);
    const { fill, outline, heat, opacity } = content.bare ? {} : scene.marks;
    paint(canvas, {
      base,
      heat: heat ? pane.heat : null,
      fill: fill ? pane.fill : null,
      outlines: outline ? pane.outlines.map((one, at) => ({ ...one, id: content.ids[at] })) : [],
      color: content.color,
      opacity,
      chosen: scene.chosen,
      place: view.place(size, shape),
      density,
      ruler: ruler.shown,
    });
  };

  const zoomBy = (factor, point) => {
    if (!usable()) return;
    if (factor === 0) view.fit();
    else view.zoomBy(factor, sizeOf(panes[0]), shape, point);
  };
  const panBy = (dx, dy) => { if (usable()) view.panBy(dx, dy, sizeOf(panes[0]), shape); };

  createPointer(stage, {
    point: (point) => { if (usable()) ruler.add(toImage(view.place(sizeOf(panes[0]), shape), point)); },
    hover: (event, point) => { if (usable()) marks.value(scene.slice, event && toImage(view.place(sizeOf(panes[0]), shape), point)); },
    pan: panBy,
    zoom: zoomBy,
    scroll: onScroll,
    window: onWindowDrag,
  }, () => ({ several: Boolean(scene?.several), zoomed: view.zoom > 1, measuring: ruler.active }));
  byId('zoom-in').addEventListener('click', () => zoomBy(STEP));
  byId('zoom-out').addEventListener('click', () => zoomBy(1 / STEP));
  byId('zoom-fit').addEventListener('click', () => zoomBy(0));
  for (const button of byId('move').querySelectorAll('button')) {
    const [dx, dy] = button.dataset.move.split(',').map(Number);
    button.addEventListener('click', () => panBy(dx * MOVE_PX, dy * MOVE_PX));
  }
  // On a narrow page the findings come first; the tools open when asked for.
  document.body.dataset.tools = 'closed';
  byId('tools-toggle').addEventListener('click', ({ currentTarget }) => {
    const open = document.body.dataset.tools === 'closed';
    document.body.dataset.tools = open ? 'open' : 'closed';
    currentTarget.setAttribute('aria-expanded', String(open));
  });
  new ResizeObserver(schedule).observe(stage);
  showZoom();

  const describe = () => {
    panes.forEach(({ canvas, caption }, at) => {
      const content = scene?.panes[at];
      caption.textContent = content?.title ?? '';
      const { overlayName, plainName } = strings.viewer;
      canvas.setAttribute('aria-label', !content ? strings.viewer.title
        : content.bare || !content.answered ? plainName(scene.name) : overlayName(scene.name, content.title, content.unread ? null : content.regions.length));
    });
    if (usable()) panes[0].canvas.setAttribute('aria-description', marks.describe(scene.slice, shape));
    else panes[0].canvas.removeAttribute('aria-description');
  };

  return {
    ruler,
    /** Shows a scene, or with null nothing. */
    show(next) {
      const other = next?.slice !== scene?.slice;
      scene = next;
      shape = next?.slice ? shapeOf(next.slice) : null;
      if (other && ruler.active) ruler.clear();
      if (!next) {
        drawn = {};
        if (ruler.active) ruler.leave();
      }
      describe();
      showZoom();
      schedule();
    },
    /** Draws at once what is due; tests measure it. */
    drawNow() {
      cancelAnimationFrame(frame);
      draw();
    },
    fit: () => view.fit(),
    zoom: (direction) => zoomBy(direction > 0 ? STEP : 1 / STEP),
    move: (dx, dy) => panBy(dx * MOVE_PX, dy * MOVE_PX),
    center: (point) => { if (usable()) view.center(point, shape); },
  };
}
