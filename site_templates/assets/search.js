// The search page. The address holds the whole query, so that a search can be cited, reloaded and gone back to:
// q words, from and before days (before excluded), direction, CPC symbol, volumes read, results shown.
// Titles and passages were written by a model: they reach the page as text nodes only.

import { base, find, isPhrase, wordsOf } from "./search-index.js";
import { passage } from "./search-passage.js";

const STEP = 10;
const VOLUMES = 3;
const MOST = 1000;
const DAY = /^\d{4}-\d{2}-\d{2}$/;
const SYMBOL = /^[A-HY](\d\d[A-Z]?)?$/;
const FIELDS = ["q", "from", "before", "direction", "cpc"];
const DIRECTIONS = { "top-down": "title first", "bottom-up": "claims first" };

const page = document.getElementById("search");
const part = (name) => page.querySelector(`[data-search="${name}"]`);
const form = page.querySelector("form");
const [status, list, more, older, notice, help] = ["status", "results", "more", "older", "notice", "help"].map(part);
let current = 0;

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

const plural = (count, word) => `${count.toLocaleString("en")} ${word}${count === 1 ? "" : "s"}`;
const number = (text, least) => Math.min(MOST, Math.max(least, Number.parseInt(text, 10) || least));

function readQuery(address) {
  const value = (name) => new URLSearchParams(address.search).get(name)?.trim() ?? "";
  const day = (name) => (DAY.test(value(name)) ? value(name) : "");
  return {
    q: value("q").slice(0, 500),
    from: day("from"),
    before: day("before"),
    direction: value("direction") in DIRECTIONS ? value("direction") : "",
    cpc: SYMBOL.test(value("cpc").toUpperCase()) ? value("cpc").toUpperCase() : "",
    volumes: number(value("volumes"), VOLUMES),
    shown: number(value("shown"), STEP),
  };
}

// The address of a query: what stands at its default is left out, so that one search has one address.
function address(query) {
  const url = new URL(window.location.pathname, window.location.origin);
  for (const name of FIELDS) if (query[name]) url.searchParams.set(name, query[name]);
  if (query.volumes > VOLUMES) url.searchParams.set("volumes", query.volumes);
  if (query.shown > STEP) url.searchParams.set("shown", query.shown);
  return url.href;
}

const link = (query, text) => element("a", { href: address({ ...query, shown: STEP }) }, text);

const isFiltered = (query) => Boolean(query.from || query.before || query.direction || query.cpc);

function fillForm(query) {
  for (const name of FIELDS) form.elements[name].value = query[name];
  if (isFiltered(query)) part("filters").open = true;
}

function publication(data) {
  const day = data.filters?.published?.[0];
  return day && DAY.test(day) ? ["published ", element("time", { datetime: day }, day)] : ["not yet published"];
}

function marked(pieces) {
  return pieces.map(({ text, hit }) => (hit ? element("mark", {}, text) : text));
}

function entry(data) {
  const [, volume, serial] = /\/d\/(\d+)\/(\d+)\.html$/.exec(data.url) ?? [];
  if (!serial) throw new Error(`${data.url} is no address of a disclosure`);
  const href = new URL(`d/${volume}/${serial}.html`, base).href;
  const id = `${page.dataset.prefix}-${serial.padStart(7, "0")}`;
  const direction = data.filters?.direction?.[0];
  const cpc = data.filters?.cpc?.[0];
  const shown = passage(data);
  const also = shown.also.slice(0, 4);
  const rest = shown.also.length - also.length;
  const item = element(
    "li",
    { class: "search-result" },
    element("h2", {}, element("a", { href }, data.meta.title ?? id)),
    element("p", { class: "search-meta" }, element("span", { class: "search-id" }, id), " · ", ...publication(data),
      ...(direction in DIRECTIONS ? [` · ${DIRECTIONS[direction]}`] : []), ...(cpc ? [` · CPC ${cpc}`] : [])),
  );
  const text = element("p", { class: "search-passage" }, ...marked(shown.pieces));
  if (shown.anchor) text.prepend(element("a", { class: "search-place", href: href + shown.anchor }, shown.label), " ");
  item.append(text);
  if (also.length) {
    const links = also.flatMap(({ label, anchor }) => [", ", element("a", { href: href + anchor }, label.toLowerCase())]);
    const end = rest ? [` and ${plural(rest, "more place")}`] : [];
    item.append(element("p", { class: "search-also" }, "Also in ", ...links.slice(1), ...end));
  }
  return item;
}

function counted(query, found) {
  const filtered = [
    query.from && `from ${query.from}`,
    query.before && `before ${query.before}`,
    DIRECTIONS[query.direction],
    query.cpc && `CPC ${query.cpc}`,
  ].filter(Boolean);
  const kind = found.results.length === 1 ? "matches" : "match";
  const how = filtered.length ? ` (${filtered.join(", ")})` : "";
  const scope = found.searched < found.eligible ? ` in the newest ${found.searched} of ${found.eligible} volumes` : "";
  return `${plural(found.results.length, "disclosure")} ${kind} ${query.q}${how}${scope}`;
}

const UNFILTERED = { from: "", before: "", direction: "", cpc: "" };

// Which words stand nowhere, and which smaller searches would find something: counted, not guessed.
async function suggest(query) {
  const words = wordsOf(query.q).slice(0, 8);
  const count = async (change) => (await find({ ...query, ...change })).results.length;
  const lines = [];
  const offer = async (change, text) => {
    const results = await count(change);
    if (results) lines.push([link({ ...query, ...change }, text), `: ${plural(results, "disclosure")}`]);
    return results;
  };
  const filtered = isFiltered(query);
  const absent = [];
  for (const word of words) if (!(await count({ q: word, ...UNFILTERED }))) absent.push(word);
  const present = words.filter((word) => !absent.includes(word));
  if (absent.length) lines.push([`No disclosure searched here holds ${absent.map((word) => `“${word}”`).join(" or ")}.`]);
  if (filtered) await offer(UNFILTERED, "The same search without filters");
  if (absent.length && present.length) {
    const rest = { q: present.join(" ") };
    const found = await offer(rest, `Only “${rest.q}”`);
    if (filtered && !found) await offer({ ...rest, ...UNFILTERED }, `Only “${rest.q}”, without filters`);
  }
  if (absent.length || words.length < 2) return lines;
  if (isPhrase(query.q)) await offer({ q: words.join(" ") }, "The same words in any order");
  else {
    for (const word of words) await offer({ q: words.filter((other) => other !== word).join(" ") }, `Without “${word}”`);
  }
  return lines;
}

async function showNothing(query, run) {
  if (!older.hidden) notice.append(element("p", {}, "Older volumes have not been searched yet."));
  const lines = await suggest(query);
  if (run !== current) return;
  notice.append(
    element("p", {}, "Every word has to stand in a disclosure; the beginning of a word is enough."),
    ...(lines.length ? [element("ul", {}, ...lines.map((line) => element("li", {}, ...line)))] : []),
    element("p", {}, "Or ", element("a", { href: new URL("browse.html", base).href }, "browse by volume and day"), "."),
  );
}

function showError(error) {
  status.textContent = "The search did not work.";
  notice.replaceChildren(
    element("p", {}, `The search index could not be loaded (${error.message}).`),
    element("ul", {},
      element("li", {}, element("a", { href: address(readQuery(window.location)) }, "Load this page again"), ", if the connection was interrupted."),
      element("li", {}, element("a", { href: new URL("browse.html", base).href }, "Browse by volume and day"), ": that needs no index.")),
  );
  console.error(error);
}

async function show({ focus = false } = {}) {
  const run = ++current;
  const query = readQuery(window.location);
  fillForm(query);
  help.hidden = Boolean(query.q);
  [more.hidden, older.hidden] = [true, true];
  notice.replaceChildren();
  if (!focus) list.replaceChildren();
  part("when").textContent = "";
  status.textContent = query.q ? "Searching …" : "";
  document.title = query.q ? `${query.q} - ${page.dataset.title}` : page.dataset.title;
  if (!query.q) return;
  try {
    const found = await find(query);
    const data = await Promise.all(found.results.slice(0, query.shown).map((result) => result.data()));
    if (run !== current) return;
    const first = focus ? list.children.length : -1;
    list.replaceChildren(...data.map(entry));
    list.children[first]?.querySelector("a").focus();
    status.textContent = counted(query, found);
    part("when").textContent = `Retrieved ${new Date().toISOString().slice(0, 16).replace("T", " ")} UTC · ${address(query)}`;
    more.hidden = found.results.length <= query.shown || query.shown >= MOST;
    older.hidden = found.searched >= found.eligible;
    if (query.q.includes('"') && !isPhrase(query.q)) {
      notice.append(element("p", {}, "The quotes do not enclose the whole search, so its words were searched one by one."));
    }
    if (!found.results.length) await showNothing(query, run);
  } catch (error) {
    if (run === current) showError(error);
  }
}

function go(query, options) {
  window.history.pushState(null, "", address(query));
  show(options);
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const value = (name) => form.elements[name].value;
  const typed = new URLSearchParams(FIELDS.map((name) => [name, value(name)]));
  go(readQuery({ search: `?${typed}` }));
});
more.addEventListener("click", () => {
  const query = readQuery(window.location);
  window.history.replaceState(null, "", address({ ...query, shown: query.shown + STEP }));
  show({ focus: true });
});
older.addEventListener("click", () => {
  const query = readQuery(window.location);
  go({ ...query, volumes: query.volumes + VOLUMES, shown: STEP });
});
window.addEventListener("popstate", () => show());
form.hidden = false;
show();
