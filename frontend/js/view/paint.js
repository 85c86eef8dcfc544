// Drawing one pane from its layers. Image pixels map to the canvas by `place`, which is in device pixels here.

import { toPane } from './place.js';

const LINE = 1.75; // CSS px
const HALO = 'rgba(0, 0, 0, 0.75)';
const BADGE = 9; // CSS px, radius
const FONT = '600 %px system-ui, sans-serif';

/**
 * Paints `scene`: {base, heat, fill: layers or null, outlines: [{path, region, id}], color, opacity, chosen, place,
 * density, ruler}. `opacity` 0..1, `chosen` a lesion id or null, `density` device pixels for a CSS pixel.
 */
export function paint(canvas, scene) {
  const context = canvas.getContext('2d');
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.clearRect(0, 0, canvas.width, canvas.height);
  if (!scene.base) return;
  const { scaleX, scaleY, left, top } = scene.place;
  context.setTransform(scaleX, 0, 0, scaleY, left, top);
  context.imageSmoothingEnabled = true;
  context.imageSmoothingQuality = 'high';
  context.drawImage(scene.base.canvas, 0, 0);
  if (scene.heat) context.drawImage(scene.heat.canvas, 0, 0);
  if (scene.fill) {
    context.globalAlpha = scene.opacity;
    context.imageSmoothingEnabled = false;
    context.drawImage(scene.fill.canvas, 0, 0);
    context.globalAlpha = 1;
  }
  context.setTransform(1, 0, 0, 1, 0, 0);
  for (const outline of scene.outlines) paintOutline(context, outline, scene);
  for (const outline of scene.outlines) paintNumber(context, outline, scene);
  if (scene.ruler) paintRuler(context, scene);
}

const faded = (id, { chosen }) => chosen !== null && chosen !== id;

function paintOutline(context, { path, id }, scene) {
  const { scaleX, scaleY, left, top } = scene.place;
  const placed = new Path2D();
  placed.addPath(path, new DOMMatrix([scaleX, 0, 0, scaleY, left, top]));
  const line = LINE * scene.density * (scene.chosen === id ? 1.7 : 1);
  context.globalAlpha = faded(id, scene) ? 0.45 : 1;
  context.lineCap = 'square';
  // The dark halo keeps the line legible on bone, which is white.
  context.lineWidth = line + 2 * scene.density;
  context.strokeStyle = HALO;
  context.stroke(placed);
  context.lineWidth = line;
  context.strokeStyle = scene.color;
  context.stroke(placed);
  context.globalAlpha = 1;
}

// The number stands where the region reaches furthest up and right; a curved one's box may end far from it.
function upperRight({ runs }) {
  const [y, , last] = runs.reduce((best, run) => (run[2] - run[0] > best[2] - best[0] ? run : best));
  return { x: last + 1, y };
}

function paintNumber(context, { region, id }, scene) {
  const { canvas } = context;
  const radius = BADGE * scene.density;
  const within = (value, size) => Math.min(Math.max(value, radius), size - radius);
  const corner = toPane(scene.place, upperRight(region));
  const [x, y] = [within(corner.x + radius, canvas.width), within(corner.y - radius, canvas.height)];
  context.globalAlpha = faded(id, scene) ? 0.45 : 1;
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.fillStyle = '#000';
  context.fill();
  context.lineWidth = scene.density;
  context.strokeStyle = scene.color;
  context.stroke();
  write(context, String(id), x, y, 11 * scene.density);
  context.globalAlpha = 1;
}

function write(context, text, x, y, size) {
  context.font = FONT.replace('%', size);
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  context.fillStyle = '#fff';
  context.fillText(text, x, y + size * 0.05);
}

/** The ruler: its points, the line between, its length, and the cross that the keyboard moves. */
function paintRuler(context, { ruler, place, density }) {
  const points = ruler.points.map((point) => toPane(place, point));
  context.lineCap = 'butt';
  for (const [width, color] of [[4, '#000'], [2, '#7fe3ff']]) {
    context.lineWidth = width * density;
    context.strokeStyle = color;
    context.beginPath();
    if (points.length === 2) {
      context.moveTo(points[0].x, points[0].y);
      context.lineTo(points[1].x, points[1].y);
    }
    for (const { x, y } of points) cross(context, x, y, 6 * density);
    if (ruler.cross) {
      const at = toPane(place, ruler.cross);
      cross(context, at.x, at.y, 12 * density);
    }
    context.stroke();
  }
  if (points.length < 2) return;
  const size = 13 * density;
  context.font = FONT.replace('%', size);
  const width = context.measureText(ruler.text).width + size;
  const x = Math.min(Math.max(points[1].x, width / 2), context.canvas.width - width / 2);
  const y = Math.min(Math.max(points[1].y - 1.6 * size, size), context.canvas.height - size);
  context.fillStyle = 'rgba(0, 0, 0, 0.8)';
  context.fillRect(x - width / 2, y - 0.8 * size, width, 1.6 * size);
  write(context, ruler.text, x, y, size);
}

function cross(context, x, y, arm) {
  context.moveTo(x - arm, y);
  context.lineTo(x + arm, y);
  context.moveTo(x, y - arm);
  context.lineTo(x, y + arm);
}
