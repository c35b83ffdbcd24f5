// The address of a search. The whole query stands behind "#", which browsers send to no server: q words or operators,
// from and before (days in UTC, before excluded), rule, CPC symbol, sort, volumes read, candidates checked, results shown.

import { isoDay, parse, usesOperators } from "./search-syntax.js";
import { wordsIn } from "./search-words.js";

export const STEP = 10;
export const VOLUMES = 3;
export const CHECKED = 400;
export const MOST = 1000;
export const FIELDS = ["q", "from", "before", "rule", "cpc", "sort"];
export const RULES = { "": "published", existed: "existed by", public: "public by" };
export const SORTS = { "": "best first", new: "newest first", old: "oldest first" };
export const CLAIM = "search-claim"; // an address that opens the box for a claim
const COUNTS = { volumes: [VOLUMES, VOLUMES], shown: [STEP, STEP], checked: [CHECKED, CHECKED] };
const SYMBOL = /^[A-HY](\d\d[A-Z]?)?$/;
const LONGEST_PLAIN = 2_000;

const number = (text, least) => Math.min(MOST * 1000, Math.max(least, Number.parseInt(text, 10) || least));

// What stands in an address and cannot be searched: [{name, value, why}]. Nothing is dropped without a word.
function faultsOf(values) {
  const faults = [];
  const fault = (name, why) => faults.push({ name, value: values.get(name), why });
  for (const name of values.keys()) {
    if (!FIELDS.includes(name) && !(name in COUNTS) && name !== CLAIM) fault(name, "there is no such filter");
  }
  for (const name of ["from", "before"]) {
    if (values.get(name) && !isoDay(values.get(name))) fault(name, "it is no day; write YYYY-MM-DD");
  }
  const cpc = values.get("cpc")?.trim().toUpperCase();
  if (cpc && !SYMBOL.test(cpc)) {
    fault("cpc", /^[A-HY]\d\d[A-Z]/.test(cpc) ? `disclosures are classified to the subclass; write ${cpc.slice(0, 4)}` : "it is no section, class or subclass of the CPC");
  }
  if (values.get("rule") && !(values.get("rule") in RULES)) fault("rule", "there is no such rule");
  if (values.get("sort") && !(values.get("sort") in SORTS)) fault("sort", "there is no such order");
  for (const name of Object.keys(COUNTS)) if (values.get(name) && !/^\d+$/.test(values.get(name))) fault(name, "it is no number");
  return faults;
}

// The query of a list of parameters: {q, from, before, rule, cpc, sort, volumes, shown, checked, faults, tree, misread}.
// `tree` is there when q uses the search language; `misread` when it cannot be read.
export function readQuery(text) {
  const values = new URLSearchParams(text);
  const value = (name) => values.get(name)?.trim() ?? "";
  const faults = faultsOf(values);
  const good = (name) => (faults.some((fault) => fault.name === name) ? "" : value(name));
  const query = {
    q: value("q"), from: isoDay(good("from")), before: isoDay(good("before")), rule: good("rule"),
    cpc: good("cpc").toUpperCase(), sort: good("sort"), faults, tree: null, misread: null,
  };
  for (const [name, [least]] of Object.entries(COUNTS)) query[name] = number(value(name), least);
  if (!usesOperators(query.q)) {
    const minus = /(?:^|\s)-(?=[\p{L}\p{N}])/u.exec(query.q);
    if (minus) {
      const at = minus.index + minus[0].length - 1;
      query.misread = { message: "A minus sign excludes nothing here: write NOT before the word.", at, end: at + 1 };
    }
    if (query.q && !wordsIn(query.q).length) {
      query.misread = { message: "The search holds no letter and no digit.", at: 0, end: query.q.length };
    }
    if (query.q.length > LONGEST_PLAIN) {
      query.misread = { message: `The search has ${query.q.length} characters; ${LONGEST_PLAIN} can be searched. For a whole text, use “Paste a claim”.`, at: LONGEST_PLAIN, end: query.q.length };
    }
    return query;
  }
  try {
    query.tree = parse(query.q);
  } catch (error) {
    if (error.at === undefined) throw error;
    query.misread = error;
  }
  return query;
}

// The parameters of a query: what stands at its default is left out, so that one search has one address.
export function writeQuery(query) {
  const values = new URLSearchParams();
  for (const name of FIELDS) if (query[name]) values.set(name, query[name]);
  for (const [name, [, usual]] of Object.entries(COUNTS)) if (query[name] > usual) values.set(name, query[name]);
  return values.toString();
}

export const pageAddress = (query) => {
  const values = writeQuery(query);
  return new URL(values ? `#${values}` : "", `${window.location.origin}${window.location.pathname}`).href;
};

export const isFiltered = (query) => Boolean(query.from || query.before || query.cpc);
export const asksNothing = (query) => !query.q && !isFiltered(query);

// Old addresses hold the query behind "?", which servers see. It is read once and moved behind "#".
export function adoptOldAddress() {
  const { search, hash, origin, pathname } = window.location;
  if (!search) return;
  const values = new URLSearchParams(search);
  if (values.get("direction")) values.delete("direction"); // a filter of 0.6, which is gone
  const moved = hash.length > 1 ? hash.slice(1) : values.toString();
  window.history.replaceState(null, "", `${origin}${pathname}${moved ? `#${moved}` : ""}`);
}
