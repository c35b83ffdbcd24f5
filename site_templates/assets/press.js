/* Conveniences of every page: light or dark, links to claims and paragraphs, copying. Pages are complete without. */
"use strict";
(() => {
  const say = (() => {
    const live = document.createElement("p");
    live.className = "press-hidden";
    live.setAttribute("role", "status");
    document.querySelector(".press-footer")?.append(live);
    return (text) => { live.textContent = text; };
  })();

  async function copy(text, what, button) {
    try {
      await navigator.clipboard.writeText(text);
      say(`Copied: ${what}`);
      button.dataset.copied = "yes";
      setTimeout(() => delete button.dataset.copied, 1500);
    } catch {
      say(`Could not copy: ${what}. Select the text and copy it by hand.`);
    }
  }
  function button(label, text, act) {
    const made = document.createElement("button");
    made.type = "button";
    made.textContent = text;
    made.setAttribute("aria-label", label);
    made.title = label;
    made.addEventListener("click", () => act(made));
    return made;
  }

  /* Light, dark, or as the system has it. */
  const root = document.documentElement;
  const dark = () => root.dataset.theme
    ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  const name = () => (dark() ? "Light" : "Dark");
  const toggle = button(`${name()} colours`, name(), () => {
    root.dataset.theme = dark() ? "light" : "dark";
    try { localStorage.setItem("press-theme", root.dataset.theme); } catch { /* holds for this page only */ }
    toggle.textContent = name();
    toggle.setAttribute("aria-label", `${name()} colours`);
    toggle.title = `${name()} colours`;
  });
  toggle.className = "press-theme";
  document.querySelector(".press-bar")?.append(toggle);

  /* The day of reading, which no server knows. */
  const today = new Date().toISOString().slice(0, 10);
  for (const form of document.querySelectorAll(".press-cite pre")) {
    for (const node of form.childNodes) {
      if (node.nodeType !== Node.TEXT_NODE) continue;
      const last = node.data.lastIndexOf("YYYY-MM-DD");
      const slashed = node.data.lastIndexOf("Y2  - YYYY/MM/DD");
      if (last >= 0) node.data = node.data.slice(0, last) + today + node.data.slice(last + 10);
      else if (slashed >= 0) {
        node.data = `${node.data.slice(0, slashed + 6)}${today.replaceAll("-", "/")}${node.data.slice(slashed + 16)}`;
      }
    }
  }
  for (const text of document.querySelectorAll("pre[data-copy]")) {
    const what = text.dataset.copy;
    const made = button(`Copy ${what}`, "Copy", (b) => copy(text.textContent, what, b));
    made.className = "press-copy";
    text.after(made);
  }

  /* A link for each claim and paragraph. The button holds no text of its own: its mark comes from the style sheet. */
  for (const part of document.querySelectorAll(".press-text li[id], .press-text p.para")) {
    const [kind, number] = part.id.split("-");
    const what = kind === "claim" ? `claim ${number}` : `paragraph ${number}`;
    const made = button(`Copy link to ${what}`, "", (b) => copy(`${location.href.split("#")[0]}#${part.id}`, `link to ${what}`, b));
    made.className = "press-link";
    part.append(made);
  }
})();
