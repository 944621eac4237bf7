// After a refused form, reading starts at what was wrong.
(() => {
  const summary = document.querySelector("[data-error-summary]");
  if (summary) summary.focus();
})();
