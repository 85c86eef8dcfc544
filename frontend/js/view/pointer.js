// Mouse, pen and fingers on the stage, as what they mean. Every one of these has a button, slider or key too.

const SLICE_PX = 14; // a finger's way from slice to slice
const WHEEL = 60; // a wheel's way; touch pads send many small steps
const CLICK_PX = 4;

/**
 * `on`: {point(pane point, index), hover(event | null), pan(dx, dy), zoom(factor, point), scroll(steps), window(dx, dy)};
 * `state()`: {several, zoomed, measuring}.
 */
export function createPointer(stage, on, state) {
  const fingers = new Map();
  let way = 0;
  let wheel = 0;
  let kind = null;
  let start = null;

  const isPicture = ({ target }) => target.closest('canvas') !== null || target === stage;
  const pointOf = (event) => {
    const pane = event.target.closest('.pane') ?? stage;
    const box = pane.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };
  const begin = (event) => {
    if (event.button === 2) return 'window';
    if (state().measuring) return 'measure';
    if (event.pointerType === 'touch' && !state().zoomed) return state().several ? 'scroll' : null;
    return 'pan';
  };

  stage.addEventListener('pointerdown', (event) => {
    if (!isPicture(event)) return;
    fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    [start, way] = [{ x: event.clientX, y: event.clientY }, 0];
    kind = fingers.size > 1 ? 'pinch' : begin(event);
    if (kind) stage.setPointerCapture(event.pointerId);
    stage.dataset.drag = kind ?? '';
    if (event.button !== 0) event.preventDefault();
  });
  stage.addEventListener('pointermove', (event) => {
    const before = fingers.get(event.pointerId);
    if (!before) return on.hover(isPicture(event) ? event : null, pointOf(event));
    const [dx, dy] = [event.clientX - before.x, event.clientY - before.y];
    if (kind === 'pinch') pinch(event, before);
    fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    if (kind === 'window') on.window(dx, dy);
    if (kind === 'pan' && state().zoomed) on.pan(dx, dy);
    if (kind === 'scroll') {
      way += dy;
      const steps = Math.trunc(way / SLICE_PX);
      if (steps) [way] = [way - steps * SLICE_PX, on.scroll(steps)];
    }
    return undefined;
  });
  const pinch = (event, before) => {
    const other = [...fingers].find(([id]) => id !== event.pointerId)?.[1];
    if (!other) return;
    const far = (a, b) => Math.hypot(a.x - b.x, a.y - b.y);
    const now = { x: event.clientX, y: event.clientY };
    const box = stage.getBoundingClientRect();
    const middle = { x: (now.x + other.x) / 2 - box.left, y: (now.y + other.y) / 2 - box.top };
    on.zoom(far(now, other) / Math.max(1, far(before, other)), middle);
    on.pan((now.x - before.x) / 2, (now.y - before.y) / 2);
  };
  const end = (event) => {
    if (!fingers.delete(event.pointerId)) return;
    const still = start && Math.hypot(event.clientX - start.x, event.clientY - start.y) < CLICK_PX;
    if (kind === 'measure' && still && event.type === 'pointerup') on.point(pointOf(event));
    if (!fingers.size) [kind, stage.dataset.drag] = [null, ''];
  };
  stage.addEventListener('pointerup', end);
  stage.addEventListener('pointercancel', end);
  stage.addEventListener('pointerleave', () => on.hover(null));
  stage.addEventListener('contextmenu', (event) => { if (isPicture(event)) event.preventDefault(); });
  stage.addEventListener('dblclick', (event) => { if (isPicture(event) && !state().measuring) on.zoom(state().zoomed ? 0 : 2, pointOf(event)); });
  stage.addEventListener('wheel', (event) => {
    if (!isPicture(event)) return;
    if (event.ctrlKey || event.metaKey) {
      event.preventDefault();
      on.zoom(Math.exp(-event.deltaY / 300), pointOf(event));
    } else if (state().several) {
      event.preventDefault();
      wheel += event.deltaMode ? event.deltaY * WHEEL : event.deltaY;
      const steps = Math.trunc(wheel / WHEEL);
      if (steps) [wheel] = [wheel - steps * WHEEL, on.scroll(steps)];
    }
  }, { passive: false });
}
