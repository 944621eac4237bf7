// A form that is on its way is not sent again by a second tap. The server refuses doubles too.
(() => {
  const buttonsOf = (form) => form.querySelectorAll("button:not([type=button])");

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method !== "post") return;
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "yes";
    for (const button of buttonsOf(form)) button.setAttribute("aria-disabled", "true");
  });

  // Coming back with the back button shows the page as it was left: let it be sent anew.
  window.addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-sent]")) {
      delete form.dataset.sent;
      for (const button of buttonsOf(form)) button.removeAttribute("aria-disabled");
    }
  });
})();
