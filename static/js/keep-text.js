// When the line drops while a form is sent, its text is there again on the next visit to the form.
// Kept in this tab only, until the next page arrives. Never passwords.
(() => {
  const KEY = "kept-text";
  const forms = [...document.querySelectorAll("form.form[method=post]")];
  const textFields = (form) => [...form.elements].filter(
    (field) => field.name && (field.tagName === "TEXTAREA" || ["text", "search", "url", "number"].includes(field.type)),
  );
  const storage = (() => {
    try {
      return window.sessionStorage;
    } catch {
      return null;
    }
  })();
  if (!storage) return;

  const restore = () => {
    const kept = JSON.parse(storage.getItem(KEY) || "null");
    storage.removeItem(KEY);
    if (!kept || kept.path !== location.pathname + location.search || !forms[kept.form]) return;
    for (const field of textFields(forms[kept.form])) {
      if (!field.value && kept.values[field.name]) field.value = kept.values[field.name];
    }
  };

  const keep = (form) => {
    const values = Object.fromEntries(textFields(form).map((field) => [field.name, field.value]));
    storage.setItem(KEY, JSON.stringify({ path: location.pathname + location.search, form: forms.indexOf(form), values }));
  };

  restore();
  document.addEventListener("submit", (event) => {
    if (!event.defaultPrevented && forms.includes(event.target)) keep(event.target);
  });
})();
