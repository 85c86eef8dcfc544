// Moves among slices and outlined areas.

import { strings } from './strings.js';

export function createMoving(page) {
  const { state, say, sumsOf, several, render, renderFindings, showPicture } = page;

  function goTo(index) {
    const next = Math.min(state.total - 1, Math.max(0, index));
    if (next === state.index || !several()) return;
    Object.assign(state, { index: next, moved: true }, page.session.study.pictures && { chosen: null });
    render();
    showPicture(true);
  }

  function goToKey() {
    const key = sumsOf()?.keySlice;
    if (key !== undefined) goTo(key);
  }

  function showLesion(lesion) {
    state.chosen = lesion?.id ?? null;
    if (lesion) {
      Object.assign(state, { index: lesion.keySlice, moved: true });
      render();
      page.viewer.center(lesion.centroid);
    } else render();
  }

  function nextLesion(step) {
    const lesions = sumsOf()?.lesions ?? [];
    if (!lesions.length) return;
    const at = state.chosen === null ? (step > 0 ? 0 : lesions.length - 1) : (state.chosen - 1 + step + lesions.length) % lesions.length;
    showLesion(lesions[at]);
    renderFindings();
    say(strings.findings.lesion(lesions[at].id));
  }

  return { goTo, goToKey, showLesion, nextLesion };
}
