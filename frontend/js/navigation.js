// Moves between slices and between outlined areas.

import { strings } from './strings.js';

/** @param {Page} page */
export function createNavigation(page) {
  const { state, announce, totalsOf, hasSeveralSlices, render, renderFindings, showPictureResult } = page;

  /** @param {number} index */
  function goTo(index) {
    const next = Math.min(state.total - 1, Math.max(0, index));
    if (next === state.index || !hasSeveralSlices()) return;
    Object.assign(state, { index: next, hasNavigated: true }, page.session.study.pictures && { selectedLesion: null });
    render();
    showPictureResult(true);
  }

  function goToKeySlice() {
    const key = totalsOf()?.keySlice;
    if (key !== undefined) goTo(key);
  }

  /** Highlights a lesion and centres it; null removes the highlight. @param {Lesion | null} lesion */
  function showLesion(lesion) {
    state.selectedLesion = lesion?.id ?? null;
    if (lesion) {
      Object.assign(state, { index: lesion.keySlice, hasNavigated: true });
      render();
      page.viewer.center(lesion.centroid);
    } else render();
  }

  /** @param {1 | -1} step */
  function stepLesion(step) {
    const lesions = totalsOf()?.lesions ?? [];
    if (!lesions.length) return;
    const index = state.selectedLesion === null ? (step > 0 ? 0 : lesions.length - 1) : (state.selectedLesion - 1 + step + lesions.length) % lesions.length;
    showLesion(lesions[index]);
    renderFindings();
    announce(strings.findings.lesion(lesions[index].id));
  }

  return { goTo, goToKeySlice, showLesion, stepLesion };
}
