// Paints one pane from its layers. `transform` maps image pixels to device pixels of the canvas.

import { toPane } from './transform.js';

const LINE_PX = 1.75; // CSS px
const HALO_COLOR = 'rgba(0, 0, 0, 0.75)';
const BADGE_RADIUS_PX = 9; // CSS px
const FONT = '600 %px system-ui, sans-serif';

/**
 * @param {HTMLCanvasElement} canvas
 * @param {any} scene {base, heat, fill: layers or null, outlines: [{path, region, id}], color, opacity (0 to 1),
 * selectedLesion (id or null), transform, density (device pixels per CSS pixel), ruler}
 */
export function paintPane(canvas, scene) {
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.clearRect(0, 0, canvas.width, canvas.height);
  if (!scene.base) return;
  const { scaleX, scaleY, left, top } = scene.transform;
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

const isFaded = (id, { selectedLesion }) => selectedLesion !== null && selectedLesion !== id;

function paintOutline(context, { path, id }, scene) {
  const { scaleX, scaleY, left, top } = scene.transform;
  const transformed = new Path2D();
  transformed.addPath(path, new DOMMatrix([scaleX, 0, 0, scaleY, left, top]));
  const line = LINE_PX * scene.density * (scene.selectedLesion === id ? 1.7 : 1);
  context.globalAlpha = isFaded(id, scene) ? 0.45 : 1;
  context.lineCap = 'square';
  // The dark halo keeps the line visible on white bone.
  context.lineWidth = line + 2 * scene.density;
  context.strokeStyle = HALO_COLOR;
  context.stroke(transformed);
  context.lineWidth = line;
  context.strokeStyle = scene.color;
  context.stroke(transformed);
  context.globalAlpha = 1;
}

/** End of the longest run; the bounding box of a curved region may be far from it. @param {Region} region */
function findBadgeAnchor({ runs }) {
  const [y, , last] = runs.reduce((best, run) => (run[2] - run[0] > best[2] - best[0] ? run : best));
  return { x: last + 1, y };
}

function paintNumber(context, { region, id }, scene) {
  const { canvas } = context;
  const radius = BADGE_RADIUS_PX * scene.density;
  const clamp = (value, size) => Math.min(Math.max(value, radius), size - radius);
  const corner = toPane(scene.transform, findBadgeAnchor(region));
  const [x, y] = [clamp(corner.x + radius, canvas.width), clamp(corner.y - radius, canvas.height)];
  context.globalAlpha = isFaded(id, scene) ? 0.45 : 1;
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.fillStyle = '#000';
  context.fill();
  context.lineWidth = scene.density;
  context.strokeStyle = scene.color;
  context.stroke();
  paintText(context, String(id), x, y, 11 * scene.density);
  context.globalAlpha = 1;
}

function paintText(context, text, x, y, size) {
  context.font = FONT.replace('%', String(size));
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  context.fillStyle = '#fff';
  context.fillText(text, x, y + size * 0.05);
}

/** Points, line and length of the ruler, and the cursor of the keyboard. */
function paintRuler(context, { ruler, transform, density }) {
  const points = ruler.points.map((point) => toPane(transform, point));
  context.lineCap = 'butt';
  for (const [width, color] of /** @type {[number, string][]} */ ([[4, '#000'], [2, '#7fe3ff']])) {
    context.lineWidth = width * density;
    context.strokeStyle = color;
    context.beginPath();
    if (points.length === 2) {
      context.moveTo(points[0].x, points[0].y);
      context.lineTo(points[1].x, points[1].y);
    }
    for (const { x, y } of points) traceCross(context, x, y, 6 * density);
    if (ruler.cursor) {
      const { x, y } = toPane(transform, ruler.cursor);
      traceCross(context, x, y, 12 * density);
    }
    context.stroke();
  }
  if (points.length < 2) return;
  const size = 13 * density;
  context.font = FONT.replace('%', String(size));
  const width = context.measureText(ruler.text).width + size;
  const x = Math.min(Math.max(points[1].x, width / 2), context.canvas.width - width / 2);
  const y = Math.min(Math.max(points[1].y - 1.6 * size, size), context.canvas.height - size);
  context.fillStyle = 'rgba(0, 0, 0, 0.8)';
  context.fillRect(x - width / 2, y - 0.8 * size, width, 1.6 * size);
  paintText(context, ruler.text, x, y, size);
}

function traceCross(context, x, y, arm) {
  context.moveTo(x - arm, y);
  context.lineTo(x + arm, y);
  context.moveTo(x, y - arm);
  context.lineTo(x, y + arm);
}
