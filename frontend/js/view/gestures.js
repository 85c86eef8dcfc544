// Translates mouse, pen and touch on the viewport into actions. Each action also has a button, slider or key.

const SLICE_PX = 14; // drag distance per slice
const WHEEL_PX = 60; // wheel distance per slice; touch pads send many small steps
const CLICK_PX = 4;

/**
 * @param {HTMLElement} viewport @param {Record<'point' | 'hover' | 'pan' | 'zoom' | 'scroll' | 'window', (...values: any[]) => void>} actions
 * @param {() => {hasSeveralSlices: boolean, isZoomed: boolean, isMeasuring: boolean}} state
 */
export function listenToGestures(viewport, actions, state) {
  /** @type {Map<number, Point>} */
  const pointers = new Map();
  let dragDistance = 0;
  let wheelDistance = 0;
  /** @type {string | null} */
  let drag = null;
  /** @type {Point | null} */
  let start = null;

  const isOnImage = ({ target }) => target.closest('canvas') !== null || target === viewport;
  const pointOf = (event) => {
    const pane = event.target.closest('.pane') ?? viewport;
    const box = pane.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };
  const chooseDrag = (event) => {
    if (event.button === 2) return 'window';
    if (state().isMeasuring) return 'measure';
    if (event.pointerType === 'touch' && !state().isZoomed) return state().hasSeveralSlices ? 'scroll' : null;
    return 'pan';
  };

  viewport.addEventListener('pointerdown', (event) => {
    if (!isOnImage(event)) return;
    pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    [start, dragDistance] = [{ x: event.clientX, y: event.clientY }, 0];
    drag = pointers.size > 1 ? 'pinch' : chooseDrag(event);
    if (drag) viewport.setPointerCapture(event.pointerId);
    viewport.dataset.drag = drag ?? '';
    if (event.button !== 0) event.preventDefault();
  });
  viewport.addEventListener('pointermove', (event) => {
    const previous = pointers.get(event.pointerId);
    if (!previous) return actions.hover(isOnImage(event) ? event : null, pointOf(event));
    const [dx, dy] = [event.clientX - previous.x, event.clientY - previous.y];
    if (drag === 'pinch') pinch(event, previous);
    pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    if (drag === 'window') actions.window(dx, dy);
    if (drag === 'pan' && state().isZoomed) actions.pan(dx, dy);
    if (drag === 'scroll') {
      dragDistance += dy;
      const steps = Math.trunc(dragDistance / SLICE_PX);
      if (steps) [dragDistance] = [dragDistance - steps * SLICE_PX, actions.scroll(steps)];
    }
    return undefined;
  });
  const pinch = (event, previous) => {
    const other = [...pointers].find(([id]) => id !== event.pointerId)?.[1];
    if (!other) return;
    const distanceBetween = (a, b) => Math.hypot(a.x - b.x, a.y - b.y);
    const now = { x: event.clientX, y: event.clientY };
    const box = viewport.getBoundingClientRect();
    const middle = { x: (now.x + other.x) / 2 - box.left, y: (now.y + other.y) / 2 - box.top };
    actions.zoom(distanceBetween(now, other) / Math.max(1, distanceBetween(previous, other)), middle);
    actions.pan((now.x - previous.x) / 2, (now.y - previous.y) / 2);
  };
  const end = (event) => {
    if (!pointers.delete(event.pointerId)) return;
    const isClick = start && Math.hypot(event.clientX - start.x, event.clientY - start.y) < CLICK_PX;
    if (drag === 'measure' && isClick && event.type === 'pointerup') actions.point(pointOf(event));
    if (!pointers.size) [drag, viewport.dataset.drag] = [null, ''];
  };
  viewport.addEventListener('pointerup', end);
  viewport.addEventListener('pointercancel', end);
  viewport.addEventListener('pointerleave', () => actions.hover(null));
  viewport.addEventListener('contextmenu', (event) => { if (isOnImage(event)) event.preventDefault(); });
  viewport.addEventListener('dblclick', (event) => { if (isOnImage(event) && !state().isMeasuring) actions.zoom(state().isZoomed ? 0 : 2, pointOf(event)); });
  viewport.addEventListener('wheel', (event) => {
    if (!isOnImage(event)) return;
    if (event.ctrlKey || event.metaKey) {
      event.preventDefault();
      actions.zoom(Math.exp(-event.deltaY / 300), pointOf(event));
    } else if (state().hasSeveralSlices) {
      event.preventDefault();
      wheelDistance += event.deltaMode ? event.deltaY * WHEEL_PX : event.deltaY;
      const steps = Math.trunc(wheelDistance / WHEEL_PX);
      if (steps) [wheelDistance] = [wheelDistance - steps * WHEEL_PX, actions.scroll(steps)];
    }
  }, { passive: false });
}
