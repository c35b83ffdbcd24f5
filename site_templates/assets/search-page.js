// What the search page shows: results, facets, remarks. Titles and passages were written by a model: they reach the page
// as text nodes only.

import { isFiltered, pageAddress, RULES, SORTS, STEP, VOLUMES, CHECKED } from "./search-address.js";
import { placesOf } from "./search-document.js";
import { base } from "./search-index.js";
import { addressOf, displayed } from "./search-open.js";
import { passage } from "./search-passage.js";
import { describe } from "./search-syntax.js";

const FACETS = 12;
const OPERATORS = /(?:^|\s)(and|or|not|xor|adj\d*|near\d+|with\d+|same\d+)(?=\s|$)/;

export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

export const plural = (count, word) => `${count.toLocaleString("en")} ${word}${count === 1 ? "" : word.endsWith("ch") ? "es" : "s"}`;
export const fresh = { shown: STEP, volumes: VOLUMES, checked: CHECKED };
export const link = (query, text) => element("a", { href: pageAddress({ ...query, shown: STEP }) }, text);

const marked = (pieces) => pieces.map(({ text, hit }) => (hit ? element("mark", {}, text) : text));

function dates(page, query) {
  if (!page.day) return ["not yet published"];
  const shown = ["published ", element("time", { datetime: page.day }, page.day)];
  return query.before ? [...shown, `, before ${query.before} by the publisher's clock`] : shown;
}

// One result as a list item. `found` is {page, load}; `data` is the fragment.
export function entry({ page }, data, query, prefix) {
  const href = addressOf(page.serial);
  const id = displayed(page.serial, prefix);
  const shown = passage(data);
  const also = shown.also.slice(0, 4);
  const rest = shown.also.length - also.length;
  const item = element(
    "li",
    { class: "search-result" },
    element("h2", {}, element("a", { href }, data.meta.title ?? id)),
    element("p", { class: "search-meta" }, element("span", { class: "search-id" }, id), " · ", ...dates(page, query),
      ...(page.cpc ? [` · CPC ${page.cpc}`] : [])),
  );
  if (shown.pieces.length) {
    const text = element("p", { class: "search-passage" }, ...marked(shown.pieces));
    if (shown.anchor) text.prepend(element("a", { class: "search-place", href: href + shown.anchor }, shown.label), " ");
    item.append(text);
  } else item.append(element("p", { class: "search-passage" }, beginning(data)));
  if (also.length) {
    const links = also.flatMap(({ label, anchor }) => [", ", element("a", { href: href + anchor }, label.toLowerCase())]);
    const end = rest ? [` and ${plural(rest, "more place")}`] : [];
    item.append(element("p", { class: "search-also" }, "Also in ", ...links.slice(1), ...end));
  }
  return item;
}

// The first words of the abstract, for a list that no words chose.
function beginning(data) {
  const words = data.content.split(/\s+/);
  const { at, end } = placesOf(data, words).find(({ kind }) => kind === "ab") ?? { at: 0, end: words.length };
  return words.slice(at, Math.min(end, at + 30)).join(" ") + (end > at + 30 ? " …" : "");
}

// What was searched, in words: for the status line and for the history.
export function scope(query, found) {
  const filters = [
    query.from && `from ${query.from}`,
    query.before && `before ${query.before}`,
    query.cpc && `CPC ${query.cpc}`,
  ].filter(Boolean).join(", ");
  const volumes = found.searched < found.eligible ? ` in the newest ${found.searched} of ${found.eligible} volumes` : "";
  return (filters ? ` (${filters})` : "") + volumes;
}

export function counted(query, found) {
  const count = found.results.length;
  const partly = found.checked < found.candidates
    ? ` so far: ${found.checked.toLocaleString("en")} of ${plural(found.candidates, "candidate")} were read` : "";
  return `${plural(count, "disclosure")} ${count === 1 ? "matches" : "match"}${query.q ? ` ${query.q}` : ""}${scope(query, found)}${partly}`;
}

// How a query was read, and what in it was taken as a plain word.
export function reading(query) {
  if (query.tree) return [element("p", { class: "search-reading" }, "Read as: ", element("code", {}, describe(query.tree)))];
  const [, word] = OPERATORS.exec(query.q) ?? [];
  if (!word) return [];
  const q = query.q.replace(new RegExp(`(^|\\s)${word}(?=\\s|$)`), (all) => all.toUpperCase());
  return [element("p", {}, `“${word}” was searched as a word: operators are written in capitals. `, link({ ...query, ...fresh, q }, q))];
}

function facet(name, counts, change) {
  const rows = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  const links = rows.slice(0, FACETS).flatMap(([value, count]) => [" · ", change(value) ? link(change(value), value) : value, ` ${count.toLocaleString("en")}`]);
  const rest = rows.length > FACETS ? [` and ${rows.length - FACETS} more`] : [];
  return element("p", {}, element("strong", {}, `${name}: `), ...links.slice(1), ...rest);
}

function tally(results, value) {
  const counts = new Map();
  for (const { page } of results) counts.set(value(page), (counts.get(value(page)) ?? 0) + 1);
  return counts;
}

const monthAfter = (month) => {
  const [year, number] = month.split("-").map(Number);
  return number === 12 ? `${year + 1}-01` : `${year}-${String(number + 1).padStart(2, "0")}`;
};

// How the results spread over classes and months, each a link that narrows the search.
export function facets(query, results) {
  const parts = [];
  const classes = tally(results, ({ cpc }) => cpc || "no class");
  const months = tally(results, ({ day }) => day.slice(0, 7) || "not yet published");
  const narrow = (change) => ({ ...query, ...change, ...fresh });
  if (classes.size > 1) parts.push(facet("Class", classes, (cpc) => (cpc !== "no class") && narrow({ cpc })));
  if (months.size > 1) {
    parts.push(facet("Month", months, (month) => /^\d/.test(month) && narrow({ from: `${month}-01`, before: `${monthAfter(month)}-01` })));
  }
  return parts;
}

// A query that cannot be read: the remark, and the text with its place marked.
export function misread({ message, at, end }, text) {
  const shown = [text.slice(Math.max(0, at - 60), at), text.slice(at, Math.min(end, at + 60)), text.slice(end, end + 60)];
  const place = [at > 60 ? "…" : "", shown[0], element("mark", {}, shown[1]), shown[2]];
  return [
    element("p", {}, element("strong", {}, message), ` (character ${at + 1})`),
    element("p", {}, element("code", { class: "search-misread" }, ...place)),
  ];
}

// Parts of an address that were not understood: nothing is searched, so that a saved search does not widen itself.
export function faulty(query) {
  const lines = query.faults.map(({ name, value, why }) => element("li", {}, element("code", {}, `${name}=${value.slice(0, 80)}`), `: ${why}.`));
  return [
    element("p", {}, "Nothing was searched, because a part of the address was not understood:"),
    element("ul", {}, ...lines),
    ...(query.q || isFiltered(query) ? [element("p", {}, link({ ...query, ...fresh }, "Search without it"))] : []),
  ];
}

export function undecided(query) {
  return [
    element("p", {}, `The index of this search holds the publisher's dates. Which disclosures ${RULES[query.rule]} a day by the word of others is not in it, so nothing was searched.`),
    element("p", {}, link({ ...query, ...fresh, rule: "" }, "Search by the publisher's dates")),
  ];
}

export function failed(error) {
  return [
    element("p", {}, `The search index could not be loaded (${error.message}).`),
    element("ul", {},
      element("li", {}, element("a", { href: window.location.href, "data-search": "again" }, "Load this page again"), ", if the connection was interrupted."),
      element("li", {}, element("a", { href: new URL("browse.html", base).href }, "Browse by volume and day"), ": that needs no index.")),
  ];
}

export const browse = () => element("p", {}, "Or ", element("a", { href: new URL("browse.html", base).href }, "browse by volume and day"), ".");
export const sorted = (query) => SORTS[query.sort];
