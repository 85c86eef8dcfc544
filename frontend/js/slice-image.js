// From bytes to something that a canvas can draw.

/** The bytes of an API image `{media_type, base64}`. */
export function imageBlob({ media_type: type, base64 }) {
  const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
  return new Blob([bytes], { type });
}

/** The picture, or null when the browser cannot decode it (a TIFF in most browsers). */
export async function decodeImage(blob) {
  try {
    return await createImageBitmap(blob);
  } catch {
    return null;
  }
}

/** A canvas of the mask's size: `color` where the mask is set, transparent elsewhere. */
export function tintMask(mask, color) {
  const canvas = new OffscreenCanvas(mask.width, mask.height);
  const context = canvas.getContext('2d', { willReadFrequently: true });
  context.drawImage(mask, 0, 0);
  const pixels = context.getImageData(0, 0, mask.width, mask.height);
  for (let at = 0; at < pixels.data.length; at += 4) pixels.data[at + 3] = pixels.data[at];
  context.putImageData(pixels, 0, 0);
  context.globalCompositeOperation = 'source-in';
  context.fillStyle = color;
  context.fillRect(0, 0, mask.width, mask.height);
  return canvas;
}
