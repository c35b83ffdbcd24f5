// "Paste a claim" on the search page: the form, the chart of each result, and its export as a concise description.
// The claim stays in this page: it is in no address, no storage and no request.

import { findClaim } from "./search-claim-find.js";
import { MOST_ELEMENTS, MOST_WORDS, root, telling } from "./search-claim.js";
import { CLAIM } from "./search-address.js";
import { save } from "./search-export.js";
import { addressOf, displayed } from "./search-open.js";
import { element, failed, plural } from "./search-page.js";

const SHOWN = 5;
const WINDOW = 30;
const percent = (share) => `${Math.round(100 * share)} %`;

// The window of a passage with most of the words, as nodes; the words are marked.
function excerpt({ place, words }, { pieces }) {
  const wanted = new Set(words);
  const hit = (piece) => telling(piece).some((word) => wanted.has(root(word)));
  const all = pieces.slice(place.at, place.end);
  let [best, start] = [-1, 0];
  for (let at = 0; at < Math.max(1, all.length - WINDOW + 1); at++) {
    const count = all.slice(at, at + WINDOW).filter(hit).length;
    if (count > best) [best, start] = [count, at];
  }
  const shown = all.slice(start, start + WINDOW).flatMap((piece) => [hit(piece) ? element("mark", {}, piece) : piece, " "]);
  return [start > 0 ? "… " : "", ...shown, start + WINDOW < all.length ? "…" : ""];
}

function row(one, result, href) {
  const name = element("th", { scope: "row" }, one.element);
  if (!one.place) return element("tr", {}, name, element("td", {}, "no word in common"), element("td", {}, "0 %"));
  const place = element("a", { class: "search-place", href: href + one.place.anchor }, one.place.label);
  return element("tr", {}, name, element("td", {}, place, " ", ...excerpt(one, result.document)), element("td", {}, percent(one.share)));
}

function table(result, href) {
  const head = ["Element of the claim", "Passage that shares most words with it", "Weight shared"];
  return element("div", { class: "press-wide-table", role: "region", "aria-label": "Claim chart", tabindex: "0" },
    element("table", { class: "search-chart" },
      element("thead", {}, element("tr", {}, ...head.map((text) => element("th", { scope: "col" }, text)))),
      element("tbody", {}, ...result.rows.map((one) => row(one, result, href)))));
}

// A concise description of relevance (37 CFR 1.290(d)(2)): what each element may be compared with, by claim and paragraph.
export function description(result, { id, url, publisher, today }) {
  const lines = result.rows.map((one, n) => {
    const place = one.place ? `${one.place.label.replace("Paragraph ", "paragraph ").replace("Claim ", "claim ")}: ${result.document.pieces.slice(one.place.at, one.place.end).join(" ")}` : "no passage shares a word with this element";
    return `${n + 1}. ${one.element}\r\n   ${id}, ${place}`;
  });
  return [
    "CONCISE DESCRIPTION OF RELEVANCE (37 CFR 1.290(d)(2))",
    "",
    `Document: ${publisher}, "${result.title}", Disclosure ${id} (machine-generated)${result.page.day ? `, published ${result.page.day}` : ", not yet published"}, ${url} [retrieved on ${today}].`,
    "",
    "The passages below share words with the elements of the claim. A program chose them; whether they disclose an element is for the reader to judge.",
    "",
    ...lines,
    "",
  ].join("\r\n");
}

function card(result, settings) {
  const { prefix, publisher, site } = settings;
  const href = addressOf(result.page.serial);
  const id = displayed(result.page.serial, prefix);
  const button = element("button", { type: "button" }, "Save as concise description (37 CFR 1.290)");
  const today = new Date().toISOString().slice(0, 10);
  button.addEventListener("click", () => save(description(result, { id, url: addressOf(result.page.serial, site), publisher, today }), `${id}-1.290.txt`, "text/plain"));
  return element("li", { class: "search-result" },
    element("h2", {}, element("a", { href }, result.title || id)),
    element("p", { class: "search-meta" }, element("span", { class: "search-id" }, id), result.page.day ? ` · published ${result.page.day}` : " · not yet published"),
    element("details", {}, element("summary", {}, "Claim chart"), table(result, href), element("p", { class: "search-buttons" }, button)));
}

// Joins the form in `part("claim")` to the search. `settings` are {prefix, publisher, site}; `filters` gives the query.
export function joinClaim(part, settings, filters) {
  const [box, said, list] = ["claim-text", "claim-status", "claim-results"].map(part);
  let run = 0;
  async function act() {
    const mine = ++run;
    list.replaceChildren();
    if (!telling(box.value).length) return (said.textContent = "The claim holds no word that says anything of a thing.");
    said.textContent = "Comparing …";
    try {
      const { from, before, cpc, volumes } = filters();
      const passes = ({ day, cpc: symbol }) => (!from || day >= from) && (!before || (day && day < before)) && symbol.startsWith(cpc);
      const found = await findClaim(box.value, { volumes, passes });
      if (mine !== run) return undefined;
      const shown = found.results.slice(0, SHOWN);
      const remarks = [
        found.searched < found.eligible && `the newest ${found.searched} of ${found.eligible} volumes were searched`,
        found.longer && `the first ${MOST_WORDS.toLocaleString("en")} words were used`,
        found.dropped && `the first ${MOST_ELEMENTS} elements are charted`,
      ].filter(Boolean);
      said.textContent = `${plural(found.elements.length, "element")}, compared with ${plural(found.pages, "disclosure")}: ${shown.length ? `the nearest ${shown.length}` : "none shares a telling word"}${remarks.length ? ` (${remarks.join("; ")})` : ""}.`;
      list.replaceChildren(...shown.map((result) => card(result, settings)));
      list.querySelector("details")?.setAttribute("open", "");
    } catch (error) {
      if (mine !== run) return undefined;
      said.textContent = "The comparison did not work.";
      list.replaceChildren(element("li", {}, ...failed(error)));
      console.error(error);
    }
    return undefined;
  }
  part("claim-go").addEventListener("click", act);
  const fold = part("claim");
  fold.hidden = false; // without this script the box does nothing
  const open = () => {
    if (window.location.hash !== `#${CLAIM}`) return;
    fold.open = true;
    box.focus();
  };
  window.addEventListener("hashchange", open);
  open();
}
