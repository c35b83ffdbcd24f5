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

  /* The day of reading, which no server knows: in each form the last place of its kind, for titles may hold the same. */
  const today = new Date().toISOString().slice(0, 10);
  const [year, month, day] = today.split("-").map(Number);
  const unknown = "YYYY-MM-DD";
  for (const form of document.querySelectorAll(".press-cite pre")) {
    const texts = [...form.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE).reverse();
    const node = texts.find((text) => text.data.includes(unknown));
    const at = node?.data.lastIndexOf(unknown);
    if (node) node.data = node.data.slice(0, at) + today + node.data.slice(at + unknown.length);
  }
  for (const text of document.querySelectorAll("pre[data-copy]")) {
    const what = text.dataset.copy;
    const made = button(`Copy ${what}`, "Copy", (b) => copy(text.textContent, what, b));
    made.className = "press-copy";
    text.after(made);
  }

  /* Files for reference managers cannot name the day of reading; what is copied from them does. */
  const dated = {
    BibTeX: (text) => text.replace(/\}\s*$/, `  urldate = {${today}},\n}\n`),
    RIS: (text) => text.replace(/ER {2}- \s*$/, `Y2  - ${today.replaceAll("-", "/")}\nER  - \n`),
    "CSL-JSON": (text) => JSON.stringify(JSON.parse(text).map((item) => ({ ...item, accessed: { "date-parts": [[year, month, day]] } })), null, 2),
  };
  for (const link of document.querySelectorAll(".press-managers a")) {
    const what = link.textContent;
    const made = button(`Copy ${what}`, "Copy", async (b) => {
      const answer = await fetch(link.href).catch(() => null);
      if (!answer?.ok) return say(`Could not fetch ${what}: open the link and copy it by hand.`);
      return copy(dated[what](await answer.text()), what, b);
    });
    made.className = "press-copy";
    link.after(" ", made);
  }

  /* What a pin cite names: numbers are claims, numbers after "p" or in brackets are paragraphs; "1, 3-5, p 2". */
  const numbered = (kind) => new Set([...document.querySelectorAll(`.press-text [id^="${kind}-"]`)].map((e) => Number(e.id.split("-")[1])));
  function pinned(text) {
    const found = { claim: new Set(), p: new Set() };
    let kind = "claim";
    for (const [, word, number, last] of text.toLowerCase().matchAll(/(claims?|paras?\.?|paragraphs?|p|\[|\])|(\d{1,4})(?:\s*[-–]\s*(\d{1,4}))?|[^\s,;.]/g)) {
      if (word) kind = word.startsWith("p") || word === "[" ? "p" : "claim";
      else if (!number) return "Write numbers of claims, and of paragraphs after a p: 1, 3-5, p 2";
      else for (let n = Number(number); n <= Number(last ?? number); n += 1) {
        if (!numbered(kind).has(n)) return `This disclosure has no ${kind === "p" ? "paragraph" : "claim"} ${n}`;
        found[kind].add(n);
      }
    }
    const list = (numbers, one, many, shown) => numbers.size ? [`${numbers.size > 1 ? many : one} ${[...numbers].sort((a, b) => a - b).map(shown).join(", ")}`] : [];
    return [...list(found.claim, "claim", "claims", String), ...list(found.p, "para.", "paras.", (n) => `[${String(n).padStart(4, "0")}]`)];
  }
  const cite = document.querySelector(".press-cite");
  if (cite?.querySelector("[data-pin]")) {
    const label = document.createElement("label");
    label.className = "press-pin";
    label.dataset.notEvidence = "pin cite";
    label.textContent = "Claims or paragraphs relied on";
    const field = document.createElement("input");
    field.autocomplete = "off";
    field.placeholder = "1, 3-5, p 2";
    field.maxLength = 200;
    const fault = document.createElement("span");
    fault.setAttribute("role", "status");
    fault.dataset.notEvidence = "pin cite";
    label.append(field);
    cite.querySelector("h2").after(label, fault);
    const spans = [...cite.querySelectorAll("[data-pin]")].map((span) => [span, span.textContent]);
    field.addEventListener("input", () => {
      const said = pinned(field.value);
      const wrong = typeof said === "string";
      fault.textContent = wrong ? said : "";
      field.setAttribute("aria-invalid", String(wrong));
      for (const [span, otherwise] of spans) {
        const chosen = wrong ? "" : said.join(", ");
        span.textContent = chosen ? (otherwise ? "" : ", ") + chosen : otherwise;
      }
    });
  }

  /* The mark of a claim or paragraph copies number, claim and permalink: the site's own address, not that of a mirror. */
  const permalink = document.querySelector('link[rel="canonical"]')?.href ?? location.href.split("#")[0];
  const id = document.querySelector(".press-id")?.textContent ?? "";
  for (const part of document.querySelectorAll(".press-text li[id], .press-text p.para")) {
    const [kind, number] = part.id.split("-");
    const what = kind === "claim" ? `claim ${number}` : `paragraph ${number}`;
    const made = button(`Copy citation of ${what}`, "", (b) => copy(`${id}, ${what}, ${permalink}#${part.id}`, `citation of ${what}`, b));
    made.className = "press-link";
    part.append(made);
  }

  const aside = document.querySelector(".press-near");
  if (aside) {
    const print = button("Print this disclosure, or save it as PDF", "Print or save as PDF", () => window.print());
    print.className = "press-print";
    aside.append(print);
  }
})();
