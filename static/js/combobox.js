// Suggestions while typing, after the ARIA combobox pattern with a list (w3.org/WAI/ARIA/apg/patterns/combobox).
// An input with data-suggest-url asks it with ?q= and gets [{value, label, hint, url}]; url is optional:
// choosing such a suggestion goes there, any other fills the field. data-suggest-said is what a screen reader says
// of 0, 1, 2 … suggestions, with | between.
(() => {
  const WAIT = 160; // milliseconds of silence before asking
  const SHORTEST = 2; // letters
  const KEPT = 50; // answers that need not be asked for again
  const CARET = ["Home", "End", "ArrowLeft", "ArrowRight"]; // these go back to the text

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
      option.append(" ", hint);
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
    const said = document.createElement("p");
    said.className = "visually-hidden";
    said.setAttribute("role", "status");
    const sayings = (input.dataset.suggestSaid || "").split("|");
    input.parentElement.append(list, said);
    input.autocomplete = "off";
    input.setAttribute("role", "combobox");
    input.setAttribute("aria-autocomplete", "list");
    input.setAttribute("aria-controls", list.id);
    input.setAttribute("aria-expanded", "false");

    const answers = new Map();
    let suggestions = [];
    let active = -1;
    let timer = 0;
    let asking = null;

    const deactivate = () => {
      list.children[active]?.setAttribute("aria-selected", "false");
      active = -1;
      input.removeAttribute("aria-activedescendant");
    };

    const close = () => {
      clearTimeout(timer);
      asking?.abort();
      asking = null;
      deactivate();
      list.hidden = true;
      said.textContent = "";
      input.setAttribute("aria-expanded", "false");
    };

    const activate = (index) => {
      deactivate();
      active = (index + suggestions.length) % suggestions.length;
      const option = list.children[active];
      option.setAttribute("aria-selected", "true");
      option.scrollIntoView({ block: "nearest" });
      input.setAttribute("aria-activedescendant", option.id);
    };

    const show = (found) => {
      deactivate();
      suggestions = found;
      list.replaceChildren(...found.map((suggestion, index) => optionElement(suggestion, `${list.id}-${index}`)));
      list.hidden = found.length === 0;
      input.setAttribute("aria-expanded", String(found.length > 0));
      said.textContent = sayings[Math.min(found.length, sayings.length - 1)];
    };

    const keep = (typed, found) => {
      if (answers.size >= KEPT) answers.delete(answers.keys().next().value);
      answers.set(typed, found);
    };

    // What is answered late, for words that stand there no more, is dropped.
    const ask = async (then) => {
      const typed = input.value.trim();
      asking?.abort();
      const mine = (asking = new AbortController());
      const address = new URL(input.dataset.suggestUrl, location.href);
      address.searchParams.set("q", typed);
      try {
        if (!answers.has(typed)) {
          const answer = await fetch(address, { signal: mine.signal, headers: { Accept: "application/json" } });
          if (!answer.ok) return;
          keep(typed, await answer.json());
        }
        if (asking !== mine || document.activeElement !== input || input.value.trim() !== typed) return;
        show(answers.get(typed));
        if (suggestions.length) then?.();
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

    const typedEnough = () => input.value.trim().length >= SHORTEST;

    const open = (event, index) => {
      if (!typedEnough()) return;
      event.preventDefault();
      ask(event.altKey ? null : () => activate(index));
    };

    input.addEventListener("input", () => {
      clearTimeout(timer);
      if (typedEnough()) timer = setTimeout(ask, answers.has(input.value.trim()) ? 0 : WAIT);
      else close();
    });

    input.addEventListener("keydown", (event) => {
      if (event.isComposing) return;
      if (list.hidden) {
        if (event.key === "ArrowDown") open(event, 0);
        else if (event.key === "ArrowUp" && !event.altKey) open(event, -1);
        else if (event.key === "Enter") close(); // an answer on its way must not cover the page that follows
        return;
      }
      if (event.key === "ArrowUp" && event.altKey) close();
      else if (event.key === "ArrowDown") activate(active + 1);
      else if (event.key === "ArrowUp") activate(active < 0 ? -1 : active - 1);
      else if (event.key === "Enter" && active >= 0) choose(suggestions[active]);
      else if (event.key === "Escape") close();
      else {
        if (event.key === "Enter") close();
        if (CARET.includes(event.key)) deactivate();
        return;
      }
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
