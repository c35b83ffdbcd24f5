// The index in the browser: which volumes a search reads, and Pagefind, which is loaded at the first search.

import { surfaces } from "./search-passage.js";

const WAIT = 60_000;
const WITNESSES = 3;
export const base = new URL("../", import.meta.url);

let catalogue, library;
let volumes = new Map();
let last = Promise.resolve();

// Pagefind writes a part of the index that cannot be fetched to the console and goes on without it; then the search
// has to fail. This holds for the page; for Pagefind's worker, generator/pagefind.py sees to it.
let fail, broken;
const mend = () => (broken = new Promise((_, reject) => (fail = reject))).catch(() => {});
mend();
const load = window.fetch.bind(window);
window.fetch = async (input, init) => {
  const answer = await load(input, init).catch(() => Response.error());
  if (!answer.ok) fail(new Error(`${input} cannot be loaded`));
  return answer;
};
const within = (promise) =>
  Promise.race([promise, broken, new Promise((_, late) => setTimeout(late, WAIT, new Error("it did not answer")))]);

async function loadCatalogue() {
  const value = await (await fetch(new URL("catalogue.json", base), { cache: "no-cache" })).json();
  value.volumes.reverse();
  return value;
}

const inRange = (day, { from, before }) => (!from || day >= from) && (!before || day < before);

// Pagefind's filters for one volume. An unused filter is left out, so that its file is not fetched.
async function filters(query, volume, instance) {
  const chosen = query.direction ? { direction: query.direction } : {};
  if (query.cpc) {
    const subclasses = Object.keys((await instance.filters()).cpc ?? {});
    chosen.cpc = { any: subclasses.filter((symbol) => symbol.startsWith(query.cpc)) };
    if (!chosen.cpc.any.length) return null;
  }
  const days = volume.days.map(({ day }) => day).filter((day) => inRange(day, query));
  const all = days.length === volume.days.length && !volume.unpublished;
  return (query.from || query.before) && !all ? { ...chosen, published: { any: days } } : chosen;
}

// One instance of Pagefind a volume, each on the index of no pages in /pagefind/: they share the worker and its program,
// and what one volume lacks is known of that volume.
async function openVolume(volume) {
  library ??= await import(new URL("pagefind/pagefind.js", base));
  const instance = library.createInstance({ basePath: `${base.pathname}pagefind/`, metaCacheTag: catalogue.pagefind });
  await instance.init();
  await instance.mergeIndex(`${base.pathname}${volume.bundle}`, { metaCacheTag: volume.tag });
  return instance;
}

const fold = (word) => word.toLowerCase().normalize("NFD").replace(/[^\p{L}\p{N}]/gu, "");
export const isPhrase = (text) => /^\s*".+"\s*$/.test(text);
export const wordsOf = (text) => [...new Set(text.replaceAll('"', " ").split(/\s+/).filter(fold))];

// Whether every word of a query stands in a volume. Pagefind drops a word that begins none of its words, and reads
// "aardvark" as "a" where nothing begins like it; a search for prior art must not. Most words are seen in the first
// results; for the others (inflected ones) Pagefind is asked for exactly this word.
async function holdsAll(instance, query, results) {
  if (isPhrase(query.q)) return true;
  const seen = [];
  for (const result of results.slice(0, WITNESSES)) seen.push(...surfaces(await result.data()).map(fold));
  for (const word of wordsOf(query.q)) {
    if (seen.some((surface) => surface.startsWith(fold(word)))) continue;
    if (!(await instance.search(`"${word}"`)).results.length) return false;
  }
  return true;
}

// Instances are opened one after the other: opened at once, each would load the program they share, and the last one
// loaded would pull the memory from under the others.
async function searchVolume(query, volume) {
  if (!volumes.has(volume.bundle)) volumes.set(volume.bundle, (last = last.then(() => openVolume(volume))));
  const instance = await volumes.get(volume.bundle);
  const chosen = await filters(query, volume, instance);
  if (!chosen) return [];
  const { results } = await instance.search(query.q, { filters: chosen });
  return results.length && (await holdsAll(instance, query, results)) ? results : [];
}

// {results, searched, eligible, pages}: what the newest query.volumes volumes that can hold an answer have, best first,
// of equal ones the newest first. After an error the next search starts from nothing.
export async function find(query) {
  try {
    catalogue ??= await within(loadCatalogue());
    const dated = query.from || query.before;
    const eligible = catalogue.volumes.filter((v) => !dated || v.days.some(({ day }) => inRange(day, query)));
    const chosen = eligible.slice(0, query.volumes);
    const found = await within(Promise.all(chosen.map((volume) => searchVolume(query, volume))));
    return {
      results: found.flat().sort((a, b) => b.score - a.score),
      searched: chosen.length,
      eligible: eligible.length,
      pages: chosen.reduce((sum, volume) => sum + volume.pages, 0),
    };
  } catch (error) {
    for (const opening of volumes.values()) opening.then((instance) => instance.destroy()).catch(() => {});
    [catalogue, volumes, last] = [undefined, new Map(), Promise.resolve()];
    mend();
    throw error;
  }
}
