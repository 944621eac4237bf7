// On wide screens, where results stand beside the filters, a ticked filter works at once.
// Focus and scroll are put back, so that the keyboard does not lose its place.
(() => {
  const KEY = "filter-focus";
  const form = document.querySelector("form[data-auto-submit]");
  if (!form) return;

  const place = JSON.parse(sessionStorage.getItem(KEY) || "null");
  sessionStorage.removeItem(KEY);
  if (place && place.path === location.pathname) {
    window.scrollTo(0, place.top);
    document.getElementById(place.id)?.focus({ preventScroll: true });
  }

  form.addEventListener("change", (event) => {
    if (!window.matchMedia("(min-width: 60rem)").matches) return;
    sessionStorage.setItem(KEY, JSON.stringify({ path: location.pathname, id: event.target.id, top: window.scrollY }));
    form.requestSubmit();
  });
})();
