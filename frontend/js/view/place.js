// Where a slice lies in a pane: zoom, centre, the shape of its pixels, and the sides that radiologists expect.

const MOST = 16;

/** The slice as it is shown: in proportion to millimetres, patient's right on the left, front up. */
export function shapeOf({ width, height, spacing, placement }) {
  return {
    width,
    height,
    aspect: spacing ? spacing[0] / spacing[1] : 1, // height of a pixel in widths of one
    flipX: placement ? placement.row[0] < -0.5 : false,
    flipY: placement ? placement.column[1] < -0.5 : false,
  };
}

/**
 * The zoom and the point in the middle, shared by all panes. Zoom 1 fits the slice into the pane; the centre is a
 * share of the slice's sides, so that it holds for slices of any size.
 */
export function createView(onChange) {
  const view = { zoom: 1, x: 0.5, y: 0.5 };
  const clamp = (value) => Math.min(1, Math.max(0, value));
  const set = (zoom, x, y) => {
    const next = Math.min(MOST, Math.max(1, zoom));
    Object.assign(view, next === 1 ? { zoom: 1, x: 0.5, y: 0.5 } : { zoom: next, x: clamp(x), y: clamp(y) });
    onChange();
  };

  return {
    get zoom() {
      return view.zoom;
    },
    fit: () => set(1, 0.5, 0.5),
    /** Zooms by a factor, keeping what lies at `anchor` (CSS px from the pane's corner) where it is. */
    zoomBy(factor, pane, shape, anchor = { x: pane.width / 2, y: pane.height / 2 }) {
      const before = toImage(place(view, pane, shape), anchor);
      const zoom = Math.min(MOST, Math.max(1, view.zoom * factor));
      const after = toImage(place({ ...view, zoom }, pane, shape), anchor);
      set(zoom, view.x + (before.x - after.x) / shape.width, view.y + (before.y - after.y) / shape.height);
    },
    /** Moves the picture by CSS px. */
    panBy(dx, dy, pane, shape) {
      const { scaleX, scaleY } = place(view, pane, shape);
      set(view.zoom, view.x - dx / scaleX / shape.width, view.y - dy / scaleY / shape.height);
    },
    /** Brings a point of the slice into the middle, at `zoom` or more. */
    center({ x, y }, shape, zoom = 2) {
      set(Math.max(view.zoom, zoom), (x + 0.5) / shape.width, (y + 0.5) / shape.height);
    },
    place: (pane, shape) => place(view, pane, shape),
  };
}

/** Scale (negative where flipped) and offset, so that canvas = image * scale + offset. */
function place({ zoom, x, y }, pane, { width, height, aspect, flipX, flipY }) {
  const fit = Math.min(pane.width / width, pane.height / (height * aspect)) * zoom;
  const scaleX = flipX ? -fit : fit;
  const scaleY = flipY ? -fit * aspect : fit * aspect;
  return { scaleX, scaleY, left: pane.width / 2 - x * width * scaleX, top: pane.height / 2 - y * height * scaleY };
}

/** A point of the pane in image pixels; whole numbers are the corners of pixels. */
export const toImage = ({ scaleX, scaleY, left, top }, { x, y }) => ({ x: (x - left) / scaleX, y: (y - top) / scaleY });

export const toPane = ({ scaleX, scaleY, left, top }, { x, y }) => ({ x: x * scaleX + left, y: y * scaleY + top });
