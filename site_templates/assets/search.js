// The search page: it reads the address, runs the search, and shows what was found. Each part has a file of its own.

import { adoptOldAddress, asksNothing, CHECKED, FIELDS, isFiltered, MOST, pageAddress, readQuery, STEP, VOLUMES, writeQuery } from "./search-address.js";
import { joinClaim } from "./search-claim-page.js";
import { cslJson, csv, ris, save } from "./search-export.js";
import { find } from "./search-find.js";
import { forget, isKept, notes, readHistory, remember } from "./search-history.js";
import { guarded } from "./search-index.js";
import { hashOf, numberOf, symbolOf } from "./search-number.js";
import { addressOf, displayed, numbersOfHash, openNumber } from "./search-open.js";
import * as view from "./search-page.js";
import { suggest } from "./search-suggest.js";

const page = document.getElementById("search");
const part = (name) => page.querySelector(`[data-search="${name}"]`);
const form = page.querySelector("form");
const { prefix, origin, title, publisher, site } = page.dataset;
const [status, list, more, older, deeper, notice, help] = ["status", "results", "more", "older", "deeper", "notice", "help"].map(part);
let current = 0;
let shownResults = [];

const here = () => readQuery(window.location.hash.slice(1));
const now = () => new Date().toISOString();

function fillForm(query) {
  for (const name of FIELDS) form.elements[name].value = query[name];
  if (isFiltered(query) || query.sort || query.rule) part("filters").open = true;
}

// Names of a disclosure or a class open what they name. True when the text was one.
async function openNamed(query) {
  const serial = numberOf(query.q, prefix, origin);
  if (serial !== null) {
    await openNumber(serial, prefix).catch((error) => refuse(error.message));
    return true;
  }
  const digits = hashOf(query.q);
  if (digits) {
    const found = await numbersOfHash(digits);
    if (found.length === 1) window.location.replace(addressOf(found[0]));
    else if (found.length) {
      refuse(`${found.length} records have a SHA-256 that begins so.`,
        view.element("ul", {}, ...found.slice(0, 50).map((one) => view.element("li", {}, view.element("a", { href: addressOf(one) }, displayed(one, prefix))))));
    } else refuse("No record has a SHA-256 that begins so.");
    return true;
  }
  const named = symbolOf(query.q);
  if (!named) return false;
  const depth = named.exact ? "" : ` Disclosures are classified to the subclass, so ${query.q.toUpperCase()} is not told from the rest of ${named.symbol}.`;
  await search({ ...query, q: "", cpc: named.symbol },
    view.element("p", {}, `“${query.q}” is a symbol of the CPC: this lists its class.${depth} `, view.link({ ...query, q: `"${query.q}"` }, "Search for it as a word")));
  return true;
}

function refuse(text, ...rest) {
  status.textContent = text;
  notice.replaceChildren(...rest);
}

async function showNothing(query, found, run) {
  if (!older.hidden) notice.append(view.element("p", {}, "Older volumes have not been searched yet."));
  const lines = await suggest(query, found.opened);
  if (run !== current) return;
  const rows = lines.map(({ change, text, results }) => (change
    ? view.element("li", {}, view.link({ ...query, ...change, checked: CHECKED }, text), `: ${view.plural(results, "disclosure")}`)
    : view.element("li", {}, text)));
  const rule = query.tree ? "With operators a word matches exactly; $ stands for any ending." : "Every word has to stand in a disclosure; the beginning of a word is enough.";
  notice.append(...(query.q ? [view.element("p", {}, rule)] : []), ...(rows.length ? [view.element("ul", {}, ...rows)] : []), view.browse());
}

async function search(query, remark, { focus = false } = {}) {
  const run = current;
  const found = await find(query);
  const data = await guarded(() => Promise.all(found.results.slice(0, query.shown).map((result) => result.load())));
  if (run !== current) return;
  shownResults = found.results;
  const first = focus ? list.children.length : -1;
  list.replaceChildren(...data.map((fragment, n) => view.entry(found.results[n], fragment, query, prefix)));
  list.children[first]?.querySelector("a").focus();
  status.textContent = view.counted(query, found);
  part("when").textContent = `Retrieved ${now().slice(0, 16).replace("T", " ")} UTC · ${pageAddress(query)}`;
  more.hidden = found.results.length <= query.shown || query.shown >= MOST;
  older.hidden = found.searched >= found.eligible;
  deeper.hidden = found.checked >= found.candidates;
  part("export").hidden = !found.results.length;
  part("facets").replaceChildren(...view.facets(query, found.results));
  notice.append(...(remark ? [remark] : []), ...view.reading(query));
  const scope = `${view.scope(query, found).trim() || "all disclosures"}${found.checked < found.candidates ? `; ${found.checked} of ${found.candidates} candidates read` : ""}`;
  remember({ time: now(), q: query.q || "(filters only)", address: pageAddress(query), scope, hits: found.results.length });
  showHistory();
  if (!found.results.length) await showNothing(query, found, run);
}

function clear(query, focus) {
  help.hidden = !asksNothing(query);
  for (const button of [more, older, deeper, part("export")]) button.hidden = true;
  for (const spot of [notice, part("facets")]) spot.replaceChildren();
  if (!focus) list.replaceChildren();
  shownResults = [];
  part("when").textContent = "";
  document.title = query.q ? `${query.q.slice(0, 80)} - ${title}` : title;
}

async function show({ focus = false } = {}) {
  const run = ++current;
  const query = here();
  fillForm(query);
  clear(query, focus);
  status.textContent = "";
  if (query.faults.length) return refuse("Nothing was searched.", ...view.faulty(query));
  if (asksNothing(query)) return undefined;
  if (query.misread) return refuse("The search could not be read.", ...view.misread(query.misread, query.q));
  if (query.rule) return refuse("Nothing was searched.", ...view.undecided(query));
  status.textContent = "Searching …";
  try {
    if (!focus && (await guarded(() => openNamed(query)))) return undefined;
    if (run === current) await search(query, null, { focus });
  } catch (error) {
    if (run !== current) return undefined;
    refuse("The search did not work.", ...view.failed(error));
    notice.querySelector('[data-search="again"]').addEventListener("click", (event) => (event.preventDefault(), window.location.reload()));
    console.error(error);
  }
  return undefined;
}

function go(query, options) {
  window.history.pushState(null, "", pageAddress(query));
  show(options);
}

function showHistory() {
  const rows = readHistory();
  part("history").hidden = !rows.length;
  part("history-count").textContent = `${view.plural(rows.length, "search")}${isKept() ? ", kept in this browser alone" : "; this browser refuses to keep them, so they end with this page"}`;
  part("history-list").replaceChildren(...rows.slice(-20).reverse().map((row) =>
    view.element("li", {}, view.element("a", { href: row.address }, row.q.slice(0, 200)), ` · ${row.hits} · ${row.scope} · ${row.time.slice(0, 16).replace("T", " ")} UTC`)));
}

async function hits() {
  const data = await guarded(() => Promise.all(shownResults.slice(0, MOST).map((result) => result.load())));
  return data.map((fragment, n) => ({
    id: displayed(shownResults[n].page.serial, prefix), title: fragment.meta.title ?? "", day: shownResults[n].page.day,
    cpc: shownResults[n].page.cpc, url: addressOf(shownResults[n].page.serial, site),
  }));
}

const EXPORTS = {
  csv: async () => save(csv(await hits()), "search.csv", "text/csv"),
  ris: async () => save(ris(await hits(), publisher, now().slice(0, 10)), "search.ris", "application/x-research-info-systems"),
  json: async () => save(cslJson(await hits(), publisher, now().slice(0, 10)), "search.json", "application/json"),
  notes: async () => save(notes(readHistory(), title, now()), "search-notes.txt", "text/plain"),
  forget: async () => (forget(), showHistory()),
};
for (const [name, act] of Object.entries(EXPORTS)) part(name).addEventListener("click", () => act());

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const typed = new URLSearchParams(FIELDS.map((name) => [name, form.elements[name].value]).filter(([, value]) => value));
  const query = readQuery(typed.toString());
  if (query.faults.length) window.history.pushState(null, "", `#${typed}`);
  else window.history.pushState(null, "", pageAddress(query));
  show();
});
form.elements.sort.addEventListener("change", () => {
  if (!asksNothing(here())) form.requestSubmit();
});
more.addEventListener("click", () => {
  const query = here();
  window.history.replaceState(null, "", pageAddress({ ...query, shown: query.shown + STEP }));
  show({ focus: true });
});
older.addEventListener("click", () => go({ ...here(), volumes: here().volumes + VOLUMES, shown: STEP }));
deeper.addEventListener("click", () => go({ ...here(), checked: here().checked * 4, shown: STEP }));
window.addEventListener("popstate", () => show());
part("to-help").addEventListener("click", (event) => {
  event.preventDefault(); // what stands behind "#" is the search
  help.hidden = false;
  help.scrollIntoView();
});
joinClaim(part, { prefix, publisher, site }, here);
adoptOldAddress();
form.hidden = false;
showHistory();
show();
