// Escape and a click elsewhere close an open menu. Without this the menu still opens and closes by its button.
(() => {
  const close = (menu, focusButton) => {
    menu.open = false;
    if (focusButton) menu.querySelector("summary").focus();
  };

  for (const menu of document.querySelectorAll("[data-menu]")) {
    menu.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && menu.open) close(menu, true);
    });
    document.addEventListener("click", (event) => {
      if (menu.open && !menu.contains(event.target)) close(menu, false);
    });
  }
})();
