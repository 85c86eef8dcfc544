// Every English sentence of the page. Facts (labels, limits, thresholds, colours) come from the API.
// A value is a text, or a function of the facts that go into the sentence.

export const strings = {
  skip: 'Skip to the slice',
  tagline: 'Intracranial hemorrhage, outlined on head CT',

  open: {
    title: 'Open a slice',
    call: 'Drop a head CT slice, or choose a file',
    types: (types, limit) => `${types}, up to ${limit}`,
    privacy: 'The image is sent to this server, held in memory for the answer, and not stored. Remove names from it first.',
  },

  gallery: {
    title: 'Or try a sample',
    note: 'Synthetic slices of simulated heads: no patient is shown.',
    name: (label, detail) => `${label}, ${detail}`,
    failed: 'The samples could not be loaded.',
  },

  model: {
    title: 'Model',
    version: (version) => `v${version}`,
    card: (title) => `Model card of ${title}`,
    cardShort: 'Model card',
    waiting: 'Asking the server for its models …',
  },

  threshold: {
    label: 'Threshold',
    note: 'A pixel is outlined when its probability reaches this value.',
    reset: (value) => `Back to the model's ${value}`,
  },

  viewer: {
    title: 'Slice',
    view: 'View',
    overlay: 'Overlay',
    both: 'Side by side',
    original: 'Original',
    outline: 'Outline',
    opacity: 'Fill',
    empty: 'Choose a sample or open a slice. The hemorrhage is outlined here.',
    caption: (name, width, height) => `${name} · ${width} × ${height} px`,
    undecodable: 'This browser cannot show this kind of file, so the server’s overlay is shown and the fill cannot be changed.',
    originalName: (name) => `Original slice: ${name}`,
    overlayName: (name, count) => `${name}, ${count === 0 ? 'nothing outlined' : count === 1 ? '1 outlined area' : `${count} outlined areas`}`,
  },

  busy: {
    loading: 'Loading the sample …',
    working: (model) => `${model} is looking at the slice …`,
    cancel: 'Cancel',
    cancelled: 'Cancelled. Choose a sample or a file to go on.',
  },

  findings: {
    title: 'Findings',
    empty: 'No slice yet.',
    detected: 'Hemorrhage outlined',
    clear: 'No hemorrhage outlined',
    unsuitable: 'No statement: not the kind of image this model was made for',
    disagree: 'Outline and chance disagree here: take the outline as a weak hint.',
    chance: (percent, words) => `The model puts the chance of hemorrhage in this slice at ${percent}: ${words}.`,
    words: ['very unlikely', 'unlikely', 'uncertain', 'likely', 'very likely'],
    notRuledOut: 'This does not rule out a hemorrhage: small or faint bleeding can be missed.',
    label: (label) => `This sample’s label: ${label}`,
    lesions: (count) => (count === 1 ? '1 outlined area' : `${count} outlined areas`),
    lesionsNote: 'Choose one to highlight it on the slice.',
    lesion: (id) => `Area ${id}`,
    px: (value) => `${value} px`,
    mm2: (value) => `${value} mm²`,
    ml: (value) => `${value} ml`,
    total: (area) => `Together ${area}`,
    confidence: (percent) => `${percent} mean confidence`,
    subtypes: 'Type of hemorrhage',
    experimental: 'experimental',
    subtypesNote: 'Experimental types have not been shown to be reliable.',
    warnings: 'Please note',
    details: 'How it was found',
    model: 'Model',
    threshold: 'Threshold',
    spacing: 'Pixel spacing',
    spacingUnknown: 'not in the file, so areas are in pixels',
    spacingValue: (x, y) => `${x} × ${y} mm`,
    timings: 'Time on the server',
    ms: (value) => `${value} ms`,
    timing: { decode: 'decode', preprocess: 'prepare', inference: 'model', postprocess: 'outline', encode: 'encode', total: 'total' },
    announce: (headline, percent, lesions) => `${headline}. Chance ${percent}. ${lesions}.`,
  },

  downloads: {
    title: 'Download',
    mask: 'Save mask',
    overlay: 'Save overlay',
    maskFile: (stem) => `${stem}_mask.png`,
    overlayFile: (stem) => `${stem}_overlay.png`,
  },

  version: (version) => `Ichor ${version}`,

  error: {
    retry: 'Try again',
    trace: (code, request) => (request ? `Code ${code}, request ${request}` : `Code ${code}`),
    unreachable: {
      title: 'The server does not answer',
      detail: 'The request got no reply.',
    },
    unexpected: {
      title: 'The server’s answer could not be read',
      detail: (status) => `It answered with status ${status}.`,
    },
    tooLarge: {
      title: 'The file is too large',
      detail: (size, limit) => `It has ${size}; this server takes at most ${limit}.`,
    },
    series: {
      title: 'The file holds a series',
      detail: (slices) => `It has ${slices} slices; this page shows one.`,
    },
    sample: {
      title: 'The sample could not be loaded',
      detail: 'The server did not send the picture.',
    },
    // Titles and what to do, by the stable code of the problem; the server's own words stand between.
    title: {
      payload_too_large: 'The file is too large',
      image_too_large: 'The image is too large',
      answer_too_large: 'The answer would be too large',
      empty_body: 'The file is empty',
      undecodable_image: 'The image cannot be read',
      unprocessable_image: 'The image cannot be used',
      unsupported_media_type: 'This kind of file cannot be read',
      model_not_found: 'The model is not there any more',
      overloaded: 'The server is busy',
      internal: 'The server failed on this image',
    },
    advice: {
      unreachable: 'Check that the server is running and that you are connected, then try again.',
      unexpected: 'Try again. If it stays like this, the server’s log tells more.',
      sample: 'Try again, or open a slice of your own.',
      series: 'Open a single slice, or run “ichor segment” on the file for volumes and all masks.',
      payload_too_large: 'Export a single slice, or save it at a smaller size.',
      image_too_large: 'Save the slice at a smaller size and open it again.',
      empty_body: 'Export the slice again.',
      unprocessable_image: 'Open a head CT slice of a usual size, such as 512 × 512 px.',
      undecodable_image: 'Export the slice again as PNG and open that file.',
      unsupported_media_type: 'Save the slice as PNG and open that file.',
      model_not_found: 'Reload the page to get the list of models that this server has now.',
      overloaded: 'Wait a few seconds, then try again.',
    },
  },
};

/** The text under a dotted key such as `open.title`. */
export function text(key) {
  const value = key.split('.').reduce((branch, part) => branch?.[part], strings);
  if (typeof value !== 'string') throw new Error(`no text named ${key}`);
  return value;
}

/** Fills every element under `root` marked `data-text`, and names those marked `data-label`. */
export function fillTexts(root) {
  for (const node of root.querySelectorAll('[data-label]')) node.setAttribute('aria-label', text(node.dataset.label));
  for (const node of root.querySelectorAll('[data-text]')) node.textContent = text(node.dataset.text);
}
