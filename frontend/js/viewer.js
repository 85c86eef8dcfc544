// The viewport: original, overlay or both, with fill opacity and outline.

import { byId } from './dom.js';
import { paint } from './paint.js';
import { decodeImage, imageBlob, tintMask } from './slice-image.js';
import { strings } from './strings.js';

export function createViewer() {
  const stage = byId('stage');
  const opacity = byId('opacity');
  const outline = byId('outline');
  const views = [...byId('views').querySelectorAll('input')];
  const panes = { original: stage.querySelector('.original canvas'), overlay: stage.querySelector('.overlay canvas') };
  const empty = { name: '', original: null, burnt: null, tint: null, color: '', lesions: [], chosen: null };
  let slice = { ...empty };

  const sceneOf = (pane) => {
    const image = slice.original ?? slice.burnt;
    const plain = pane === 'original' || !slice.original;
    return {
      image,
      tint: plain ? null : slice.tint,
      lesions: plain ? [] : slice.lesions,
      color: slice.color,
      chosen: slice.chosen,
      outline: outline.checked,
      opacity: Number(opacity.value) / 100,
      density: window.devicePixelRatio,
    };
  };
  const draw = () => {
    for (const [pane, canvas] of Object.entries(panes)) {
      const width = Math.round(canvas.clientWidth * window.devicePixelRatio);
      const height = Math.round(canvas.clientHeight * window.devicePixelRatio);
      if (!width || !height) continue; // hidden in this view
      if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
      paint(canvas, sceneOf(pane));
    }
  };
  const showView = () => {
    stage.dataset.view = views.find((view) => view.checked).value;
    draw();
  };
  const showOpacity = () => {
    byId('opacity-value').textContent = `${opacity.value} %`;
    draw();
  };
  // A picture that only the server could decode has its overlay burnt in: nothing here can change it.
  const setAdjustable = (adjustable) => {
    for (const control of [opacity, outline, ...views]) control.disabled = !adjustable;
    if (adjustable) return;
    views[0].checked = true;
    showView();
  };
  const describe = (caption) => {
    byId('caption').textContent = caption;
    panes.original.setAttribute('aria-label', strings.viewer.originalName(slice.name));
    panes.overlay.setAttribute('aria-label', strings.viewer.overlayName(slice.name, slice.lesions.length));
  };

  opacity.addEventListener('input', showOpacity);
  outline.addEventListener('change', draw);
  for (const view of views) view.addEventListener('change', showView);
  new ResizeObserver(draw).observe(stage);
  const blank = () => {
    slice = { ...empty };
    byId('stage-hint').hidden = false;
    setAdjustable(true);
    describe('');
    draw();
  };
  blank();
  showOpacity();

  return {
    blank,
    /** Shows a slice before its result: its name, and its picture when the browser can decode it. */
    showOriginal(name, picture) {
      slice = { ...empty, name, original: picture };
      byId('stage-hint').hidden = true;
      setAdjustable(true);
      describe(name);
      draw();
      // On a narrow page the viewport may lie below the gallery.
      if (stage.getBoundingClientRect().bottom > window.innerHeight) byId('viewer').scrollIntoView();
    },
    /** Adds the result. `color` is that of the mask's class. */
    async showReport(report, color) {
      const { width, height } = report.image;
      const { name } = slice;
      // A picture that the server turned or cropped otherwise would carry the mask in the wrong place.
      const original = slice.original?.width === width && slice.original?.height === height ? slice.original : null;
      const [mask, burnt] = await Promise.all([decodeImage(imageBlob(report.mask)), decodeImage(imageBlob(report.overlay))]);
      slice = { name, original, burnt, tint: mask && tintMask(mask, color), color, lesions: report.lesions, chosen: null };
      setAdjustable(original !== null);
      describe([strings.viewer.caption(name, width, height), original ? '' : strings.viewer.undecodable].filter(Boolean).join('. '));
      draw();
    },
    /** Takes an older result away; the slice stays if the browser can show it. */
    dropReport() {
      if (!slice.original) return blank();
      slice = { ...empty, name: slice.name, original: slice.original };
      setAdjustable(true);
      describe(slice.name);
      draw();
    },
    /** Highlights one lesion by id, or none with null. */
    choose(id) {
      slice.chosen = id;
      draw();
    },
  };
}
