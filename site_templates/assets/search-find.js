// What a query finds: plain words as Pagefind ranks them, the search language checked on the texts, or filters alone.

import { candidates } from "./search-candidates.js";
import { read } from "./search-document.js";
import { fits, needsText, places, spans } from "./search-evaluate.js";
import { guarded, loadCatalogue, openVolume } from "./search-index.js";
import { surfaces } from "./search-passage.js";
import { fold, wordsIn } from "./search-words.js";

const WITNESSES = 3;
const AT_ONCE = 40;
const FEW = 40; // pages that are sooner read than asked the index for

const inRange = (day, { from, before }) => Boolean(day) && (!from || day >= from) && (!before || day < before);
export const plainWords = (text) => [...new Set(text.split(/\s+/).filter((word) => wordsIn(word).length))];

function passes(page, query) {
  if ((query.from || query.before) && !inRange(page.day, query)) return false;
  return !query.cpc || page.cpc.startsWith(query.cpc);
}

// Whether every word of a query stands in a volume. Pagefind drops a word that begins none of its words, and reads
// "aardvark" as "a" where nothing begins like it; a search for prior art must not. Most words are seen in the first
// results; for the others (inflected ones) Pagefind is asked for exactly this word.
async function holdsAll(volume, text, results) {
  const seen = [];
  for (const result of results.slice(0, WITNESSES)) seen.push(...surfaces(await result.load()).map((text) => wordsIn(text).join("")));
  for (const word of plainWords(text)) {
    const bare = wordsIn(word).join("");
    if (seen.some((surface) => surface.startsWith(bare))) continue;
    if (!(await volume.search(`"${fold(word).replaceAll('"', "")}"`)).length) return false;
  }
  return true;
}

const starting = (words) => ({ op: "or", args: words.map((word) => ({ op: "words", words: [`${word}$`], fields: null })) });

// Pages that Pagefind misses, because a word stands there in a form that it cuts otherwise: H₂O, ﬁber, snap‑fit.
async function missed(query, volume, results) {
  const words = wordsIn(query.q);
  const odd = await Promise.all(words.map((word) => volume.oddStarting(word)));
  if (odd.every(({ ids }) => !ids.size)) return [];
  const seen = new Set(results.map(({ page }) => page.id));
  const more = new Set(odd.flatMap(({ ids }) => [...ids]).filter((id) => !seen.has(id)));
  const tree = { op: "and", args: words.map((word) => starting([word])) };
  const ids = more.size <= FEW || words.length === 1 ? [...more] : await shared(words, odd, volume);
  const found = await Promise.all(ids.filter((id) => !seen.has(id)).map(async (id) => {
    if (words.length > 1 && more.size <= FEW && !fits(tree, read(await volume.fragment(id)), null)) return null;
    const load = async () => {
      const fragment = await volume.fragment(id);
      return withPlaces(fragment, starting(words), read(fragment));
    };
    return { page: volume.pages.get(id), score: 0, load };
  }));
  return found.filter(Boolean);
}

// The pages that hold all of some words, each in a form that Pagefind finds or in another.
async function shared(words, odd, volume) {
  let all = null;
  for (const [n, word] of words.entries()) {
    const ids = new Set(odd[n].ids);
    for (const { id } of await volume.search(`"${word}"`)) ids.add(id);
    if (odd[n].known) for (const { id } of await volume.search(word)) ids.add(id);
    all = all ? new Set([...all].filter((id) => ids.has(id))) : ids;
  }
  return [...all];
}

// What Pagefind finds, best first; nothing where a word stands nowhere in the volume.
async function ranked(text, volume) {
  const found = await volume.search(text);
  const results = found.map((result) => ({ page: volume.pages.get(result.id), score: result.score, load: () => result.data() }));
  results.sort(ORDERS[""]);
  return results.length && (await holdsAll(volume, text, results)) ? results : [];
}

async function plain(query, volume) {
  let good = await ranked(query.q, volume);
  const parted = wordsIn(query.q).join(" "); // Pagefind glues what "/" or "+" joins
  if (!good.length && parted !== query.q) good = await ranked(parted, volume);
  return [...good, ...(await missed(query, volume, good))].filter(({ page }) => passes(page, query));
}

const listed = (volume, query, score = 0) =>
  [...volume.pages.values()].filter((page) => passes(page, query))
    .map((page) => ({ page, score, load: () => volume.fragment(page.id) }));

// How well a text fits: each thing asked for counts, a repetition less and less.
function weigh(node, document) {
  if (node.op === "not") return 0;
  if (["and", "or", "xor"].includes(node.op)) return node.args.reduce((sum, arg) => sum + weigh(arg, document), 0);
  if (!needsText(node)) return 0;
  const count = spans(node, document).length;
  return count / (count + 1.5);
}

// A fragment with the places of a tree instead of Pagefind's.
function withPlaces(fragment, tree, document) {
  const hits = places(tree, document).flatMap(({ from, to }) => Array.from({ length: to - from + 1 }, (_, n) => document.at[from + n]));
  return { ...fragment, weighted_locations: [...new Set(hits)].sort((a, b) => a - b).map((location) => ({ location, balanced_score: 1 })) };
}

async function check(tree, page) {
  const fragment = await page.volume.fragment(page.id);
  const document = read(fragment);
  if (!fits(tree, document, page)) return null;
  return { page, score: weigh(tree, document), load: async () => withPlaces(fragment, tree, document) };
}

// The pages of some volumes that fit a tree: candidates from the index, newest first, the first `query.checked` read.
async function expert(query, opened) {
  const all = [];
  for (const volume of opened) {
    const ids = await candidates(query.tree, volume, (node, page) => fits(node, null, page));
    const pages = ids ? [...ids].map((id) => volume.pages.get(id)) : [...volume.pages.values()];
    all.push(...pages.filter((page) => passes(page, query)));
  }
  all.sort((a, b) => b.serial - a.serial);
  if (!needsText(query.tree)) {
    const found = all.filter((page) => fits(query.tree, null, page));
    return { results: found.map((page) => ({ page, score: 0, load: () => page.volume.fragment(page.id) })), checked: 0, candidates: 0 };
  }
  const chosen = all.slice(0, query.checked);
  const results = [];
  for (let at = 0; at < chosen.length; at += AT_ONCE) {
    results.push(...(await Promise.all(chosen.slice(at, at + AT_ONCE).map((page) => check(query.tree, page)))));
  }
  return { results: results.filter(Boolean), checked: chosen.length, candidates: all.length };
}

const ORDERS = {
  new: (a, b) => b.page.serial - a.page.serial,
  old: (a, b) => a.page.serial - b.page.serial,
  "": (a, b) => b.score - a.score || b.page.serial - a.page.serial,
};

// {results: [{page, score, load}], checked, candidates, searched, eligible, pages, opened}: what the newest
// query.volumes volumes that can hold an answer have, in the order of query.sort.
export const find = (query) => guarded(async () => {
  const { volumes } = await loadCatalogue();
  const dated = query.from || query.before;
  const eligible = volumes.filter((entry) => !dated || entry.days.some(({ day }) => inRange(day, query)));
  const chosen = eligible.slice(0, query.volumes);
  const opened = await Promise.all(chosen.map(openVolume));
  let found = { checked: 0, candidates: 0 };
  if (query.tree) found = await expert(query, opened);
  else if (query.q) found.results = (await Promise.all(opened.map((volume) => plain(query, volume)))).flat();
  else found.results = opened.flatMap((volume) => listed(volume, query));
  const pages = chosen.reduce((sum, entry) => sum + entry.pages, 0);
  return { ...found, results: found.results.sort(ORDERS[query.sort]), searched: chosen.length, eligible: eligible.length, pages, opened };
});
