// Drawing one pane. Coordinates of the API are image pixels; `fit` maps them to the canvas.

const LINE = 1.75; // CSS px
const HALO = 'rgba(0, 0, 0, 0.7)';
const BADGE = 9; // CSS px, radius

/** Scale and offset that show the whole image, centred, in a canvas. */
export function fit(canvas, { width, height }) {
  const scale = Math.min(canvas.width / width, canvas.height / height);
  return { scale, x: (canvas.width - width * scale) / 2, y: (canvas.height - height * scale) / 2 };
}

/**
 * Paints `scene` {image, tint, color, lesions, opacity, outline, chosen, density}.
 * `image` is a picture or null, `tint` the coloured mask or null, `opacity` 0..1, `chosen` a lesion id or
 * null, `density` device pixels for a CSS pixel. All in image pixels.
 */
export function paint(canvas, scene) {
  const context = canvas.getContext('2d');
  context.clearRect(0, 0, canvas.width, canvas.height);
  if (!scene.image) return;
  const place = fit(canvas, scene.image);
  const width = scene.image.width * place.scale;
  const height = scene.image.height * place.scale;
  context.imageSmoothingQuality = 'high';
  context.drawImage(scene.image, place.x, place.y, width, height);
  if (scene.tint) {
    context.globalAlpha = scene.opacity;
    context.imageSmoothingEnabled = false; // the mask's own pixels, neither more nor less
    context.drawImage(scene.tint, place.x, place.y, width, height);
    context.imageSmoothingEnabled = true;
    context.globalAlpha = 1;
  }
  if (!scene.outline) return;
  for (const lesion of scene.lesions) paintOutline(context, place, lesion, scene);
  for (const lesion of scene.lesions) paintNumber(context, place, lesion, scene);
}

const faded = (lesion, { chosen }) => chosen !== null && chosen !== lesion.id;

function paintOutline(context, place, lesion, scene) {
  if (!lesion.contour?.length) return;
  const path = new Path2D();
  // The API names border pixels by column and row; the line runs through their centres.
  for (const [x, y] of lesion.contour) path.lineTo(place.x + (x + 0.5) * place.scale, place.y + (y + 0.5) * place.scale);
  path.closePath();
  const line = LINE * scene.density * (scene.chosen === lesion.id ? 1.8 : 1);
  context.globalAlpha = faded(lesion, scene) ? 0.4 : 1;
  context.lineJoin = 'round';
  // The dark halo keeps the line legible on bone, which is white.
  context.lineWidth = line + 2 * scene.density;
  context.strokeStyle = HALO;
  context.stroke(path);
  context.lineWidth = line;
  context.strokeStyle = scene.color;
  context.stroke(path);
  context.globalAlpha = 1;
}

// The number stands where the outline reaches furthest up and right; a curved lesion's box may end far from it.
function upperRight({ bbox, contour }) {
  if (!contour?.length) return [bbox.x + bbox.width, bbox.y];
  return contour.reduce((best, point) => (point[0] - point[1] > best[0] - best[1] ? point : best));
}

function paintNumber(context, place, lesion, scene) {
  const radius = BADGE * scene.density;
  const { canvas } = context;
  const within = (value, size) => Math.min(Math.max(value, radius), size - radius);
  const [column, row] = upperRight(lesion);
  const x = within(place.x + column * place.scale + radius, canvas.width);
  const y = within(place.y + row * place.scale - radius, canvas.height);
  context.globalAlpha = faded(lesion, scene) ? 0.4 : 1;
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.fillStyle = '#000';
  context.fill();
  context.lineWidth = scene.density;
  context.strokeStyle = scene.color;
  context.stroke();
  context.fillStyle = '#fff';
  context.font = `600 ${11 * scene.density}px system-ui, sans-serif`;
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  context.fillText(String(lesion.id), x, y + scene.density * 0.5);
  context.globalAlpha = 1;
}
