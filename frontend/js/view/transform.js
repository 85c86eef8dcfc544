// Maps a slice into a pane: zoom, centre, pixel aspect, and the orientation that radiologists expect.

const MAX_ZOOM = 16;

/** Shape of the slice on screen: proportional to mm, patient's right on the left, front at the top. @param {Slice} slice @returns {Shape} */
export function describeShape({ width, height, spacing, placement }) {
  return {
    width,
    height,
    aspect: spacing ? spacing[0] / spacing[1] : 1, // height of a pixel / its width
    flipX: placement ? placement.row[0] < -0.5 : false,
    flipY: placement ? placement.column[1] < -0.5 : false,
  };
}

/**
 * Zoom and centre, shared by all panes. Zoom 1 fits the slice into the pane. The centre is a share of the sides, so that
 * it holds for slices of any size.
 * @param {() => void} onChange
 */
export function createViewTransform(onChange) {
  const view = { zoom: 1, x: 0.5, y: 0.5 };
  const clamp = (value) => Math.min(1, Math.max(0, value));
  const set = (zoom, x, y) => {
    const next = Math.min(MAX_ZOOM, Math.max(1, zoom));
    Object.assign(view, next === 1 ? { zoom: 1, x: 0.5, y: 0.5 } : { zoom: next, x: clamp(x), y: clamp(y) });
    onChange();
  };

  return {
    get zoom() {
      return view.zoom;
    },
    fit: () => set(1, 0.5, 0.5),
    /** Zooms by a factor and keeps the point at `anchor` (CSS px from the corner of the pane) in place. @param {number} factor @param {Size} pane @param {Shape} shape @param {Point} anchor */
    zoomBy(factor, pane, shape, anchor = { x: pane.width / 2, y: pane.height / 2 }) {
      const before = toImage(computeTransform(view, pane, shape), anchor);
      const zoom = Math.min(MAX_ZOOM, Math.max(1, view.zoom * factor));
      const after = toImage(computeTransform({ ...view, zoom }, pane, shape), anchor);
      set(zoom, view.x + (before.x - after.x) / shape.width, view.y + (before.y - after.y) / shape.height);
    },
    /** Moves the image by CSS px. */
    panBy(dx, dy, pane, shape) {
      const { scaleX, scaleY } = computeTransform(view, pane, shape);
      set(view.zoom, view.x - dx / scaleX / shape.width, view.y - dy / scaleY / shape.height);
    },
    /** Centres a point of the slice, at `zoom` or more. */
    center({ x, y }, shape, zoom = 2) {
      set(Math.max(view.zoom, zoom), (x + 0.5) / shape.width, (y + 0.5) / shape.height);
    },
    transform: (pane, shape) => computeTransform(view, pane, shape),
  };
}

/** Scale (negative where flipped) and offset, so that canvas = image * scale + offset. @param {{zoom: number, x: number, y: number}} view @param {Size} pane @param {Shape} shape @returns {Transform} */
function computeTransform({ zoom, x, y }, pane, { width, height, aspect, flipX, flipY }) {
  const fit = Math.min(pane.width / width, pane.height / (height * aspect)) * zoom;
  const scaleX = flipX ? -fit : fit;
  const scaleY = flipY ? -fit * aspect : fit * aspect;
  return { scaleX, scaleY, left: pane.width / 2 - x * width * scaleX, top: pane.height / 2 - y * height * scaleY };
}

/** A point of the pane in image pixels; whole numbers are corners of pixels. @param {Transform} transform @param {Point} point @returns {Point} */
export const toImage = ({ scaleX, scaleY, left, top }, { x, y }) => ({ x: (x - left) / scaleX, y: (y - top) / scaleY });

/** @param {Transform} transform @param {Point} point @returns {Point} */
export const toPane = ({ scaleX, scaleY, left, top }, { x, y }) => ({ x: x * scaleX + left, y: y * scaleY + top });
