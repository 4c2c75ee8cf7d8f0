// Before the first paint: a page must not flash in the theme that somebody has turned off.
try {
  const theme = localStorage.getItem('sallyport.theme')
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme
} catch {
  // A browser that gives the page no storage: the system's theme then.
}
