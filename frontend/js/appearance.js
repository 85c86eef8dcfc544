// Sets the chosen appearance before the first paint, so that a dark page does not flash light. Not a module:
// those run after the page is parsed.
try {
  const chosen = localStorage.getItem('ichor.theme');
  if (chosen === 'light' || chosen === 'dark') document.documentElement.dataset.theme = chosen;
} catch { /* storage is switched off: the system's appearance holds */ }
