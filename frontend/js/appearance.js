// Sets the appearance before the first paint, so that a dark page does not flash light. Not a module: those run after
// the page is parsed.
try {
  const theme = localStorage.getItem('ichor.theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
} catch { /* storage is disabled: the system's appearance applies */ }
