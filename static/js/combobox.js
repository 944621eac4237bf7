// Suggestions while typing, after the ARIA combobox pattern with a list (w3.org/WAI/ARIA/apg/patterns/combobox).
// An input with data-suggest-url asks it with ?q= and gets [{value, label, hint, url}]; url is optional:
// choosing such a suggestion goes there, any other fills the field.
(() => {
  const WAIT = 160; // milliseconds of silence before asking
  const SHORTEST = 2; // letters

  const optionElement = (suggestion, id) => {
    const option = document.createElement("li");
    option.id = id;
    option.className = "combobox__option";
    option.setAttribute("role", "option");
    option.setAttribute("aria-selected", "false");
    const label = document.createElement("span");
    label.dir = "auto";
    label.textContent = suggestion.label || suggestion.value;
    option.append(label);
    if (suggestion.hint) {
      const hint = document.createElement("span");
      hint.className = "combobox__hint";
      hint.textContent = suggestion.hint;
      option.append(hint);
    }
    return option;
  };

  const attach = (input) => {
    const list = document.createElement("ul");
    list.id = `${input.id}-list`;
    list.className = "combobox__list";
    list.hidden = true;
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", input.labels?.[0]?.textContent.trim() || input.getAttribute("aria-label") || "");
    input.parentElement.append(list);
    input.autocomplete = "off";
    input.setAttribute("role", "combobox");
    input.setAttribute("aria-autocomplete", "list");
    input.setAttribute("aria-controls", list.id);
    input.setAttribute("aria-expanded", "false");

    let suggestions = [];
    let active = -1;
    let timer = 0;
    let asking = null;

    const close = () => {
      clearTimeout(timer);
      asking?.abort();
      list.hidden = true;
      active = -1;
      input.setAttribute("aria-expanded", "false");
      input.removeAttribute("aria-activedescendant");
    };

    const activate = (index) => {
      list.children[active]?.setAttribute("aria-selected", "false");
      active = (index + suggestions.length) % suggestions.length;
      const option = list.children[active];
      option.setAttribute("aria-selected", "true");
      option.scrollIntoView({ block: "nearest" });
      input.setAttribute("aria-activedescendant", option.id);
    };

    const show = (found) => {
      suggestions = found;
      active = -1;
      list.replaceChildren(...found.map((suggestion, index) => optionElement(suggestion, `${list.id}-${index}`)));
      list.hidden = found.length === 0;
      input.setAttribute("aria-expanded", String(found.length > 0));
      input.removeAttribute("aria-activedescendant");
    };

    const ask = async () => {
      asking?.abort();
      asking = new AbortController();
      const address = new URL(input.dataset.suggestUrl, location.href);
      address.searchParams.set("q", input.value);
      try {
        const answer = await fetch(address, { signal: asking.signal, headers: { Accept: "application/json" } });
        if (answer.ok && document.activeElement === input) show(await answer.json());
      } catch {
        // No suggestions then: the field works without them.
      }
    };

    const choose = (suggestion) => {
      close();
      if (suggestion.url && new URL(suggestion.url, location.href).origin === location.origin) {
        location.assign(suggestion.url);
        return;
      }
      input.value = suggestion.value;
      input.dispatchEvent(new Event("change", { bubbles: true }));
    };

    input.addEventListener("input", () => {
      clearTimeout(timer);
      if (input.value.trim().length < SHORTEST) close();
      else timer = setTimeout(ask, WAIT);
    });

    input.addEventListener("keydown", (event) => {
      if (list.hidden) {
        if (event.key === "ArrowDown" && input.value.trim().length >= SHORTEST) ask();
        return;
      }
      if (event.key === "ArrowDown") activate(active + 1);
      else if (event.key === "ArrowUp") activate(active < 0 ? suggestions.length - 1 : active - 1);
      else if (event.key === "Enter" && active >= 0) choose(suggestions[active]);
      else if (event.key === "Escape") close();
      else return;
      event.preventDefault();
    });

    input.addEventListener("blur", close);
    list.addEventListener("mousedown", (event) => event.preventDefault()); // keeps the focus, so the list, while clicking
    list.addEventListener("click", (event) => {
      const option = event.target.closest("[role=option]");
      if (option) choose(suggestions[[...list.children].indexOf(option)]);
    });
  };

  for (const input of document.querySelectorAll("input[data-suggest-url]")) attach(input);
})();
