// The index in the browser: the volumes of the catalogue, and Pagefind, which is loaded at the first search.

const WAIT = 60_000;
export const base = new URL("../", import.meta.url);

let catalogue, library;
let volumes = new Map();
let last = Promise.resolve();

// Pagefind writes a part of the index that cannot be fetched to the console and goes on without it; then the search
// has to fail. This holds for the page; for Pagefind's worker, generator/site/pagefind.py sees to it.
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

// A file that is named by its address and its volume's tag, which changes with it.
async function get(path, tag) {
  const answer = await fetch(new URL(`${path}${tag ? `?${tag}` : ""}`, base), tag ? {} : { cache: "no-cache" });
  return answer.json();
}

export async function loadCatalogue() {
  if (catalogue) return catalogue;
  const value = await get("catalogue.json");
  value.volumes.reverse();
  return (catalogue = value);
}

const shardOf = (word) => (/^[a-z]/.test(word) ? word[0] : /^[0-9]/.test(word) ? "0" : "_");
export const SHARDS = [..."abcdefghijklmnopqrstuvwxyz0_"];

// One volume: its pages by Pagefind's identifier, its vocabulary, its index.
class Volume {
  constructor(entry, instance, list) {
    Object.assign(this, { entry, instance, first: list.first, pages: new Map() });
    [this.found, this.shards, this.results] = [new Map(), new Map(), new Map()];
    for (const [offset, id, day, cpc] of list.pages) {
      this.pages.set(id, { id, serial: list.first + offset, day: list.days[day], cpc: list.cpc[cpc], volume: this });
    }
    this.bySerial = new Map([...this.pages.values()].map((page) => [page.serial, page.id]));
  }

  shard(name) {
    if (!this.shards.has(name)) this.shards.set(name, get(`${this.entry.bundle}words/${name}.json`, this.entry.tag));
    return this.shards.get(name);
  }

  // {count, odd}: on how many pages a word stands, and identifiers of pages where Pagefind may not find it.
  async word(word) {
    const words = await this.shard(shardOf(word));
    const known = Object.hasOwn(words, word) ? words[word] : 0;
    const [count, ...odd] = Array.isArray(known) ? known : [known];
    return { count, odd: odd.map((offset) => this.bySerial.get(this.first + offset)) };
  }

  // {ids, known}: pages where Pagefind may not find a word that begins so, and whether any word begins so.
  async oddStarting(start) {
    const known = Object.entries(await this.shard(shardOf(start))).filter(([word]) => word.startsWith(start));
    const offsets = known.flatMap(([, value]) => (Array.isArray(value) ? value.slice(1) : []));
    return { ids: new Set(offsets.map((offset) => this.bySerial.get(this.first + offset))), known: known.length > 0 };
  }

  // The words of the vocabulary that an expression fits; `start` is what they begin with.
  async expand(fits, start) {
    const names = start ? [shardOf(start)] : SHARDS;
    const found = [];
    for (const words of await Promise.all(names.map((name) => this.shard(name)))) {
      for (const word of Object.keys(words)) if (word.startsWith(start) && fits.test(word)) found.push(word);
    }
    return found;
  }

  async search(words) {
    const { results } = await this.instance.search(words);
    for (const result of results) if (!this.results.has(result.id)) this.results.set(result.id, result);
    return results;
  }

  // Identifiers of all pages that may hold a word; null where only the texts of all pages can tell.
  async holding(word) {
    if (!this.found.has(word)) {
      const { count, odd } = await this.word(word);
      const ids = new Set(odd);
      if (count > odd.length) for (const { id } of await this.search(`"${word}"`)) ids.add(id);
      this.found.set(word, ids.size < count ? null : ids);
    }
    return this.found.get(word);
  }

  // The fragment of a page. Pagefind hands out fragments of what a search found; a search for nothing finds all.
  async fragment(id) {
    if (!this.results.has(id)) await this.search(null);
    return this.results.get(id).data();
  }
}

// Instances are opened one after the other: opened at once, each would load the program they share, and the last one
// loaded would pull the memory from under the others.
async function open(entry) {
  const list = get(`${entry.bundle}pages.json`, entry.tag);
  library ??= await import(new URL("pagefind/pagefind.js", base));
  const instance = library.createInstance({ basePath: `${base.pathname}pagefind/`, metaCacheTag: catalogue.pagefind });
  await instance.init();
  await instance.mergeIndex(`${base.pathname}${entry.bundle}`, { metaCacheTag: entry.tag });
  return new Volume(entry, instance, await list);
}

export function openVolume(entry) {
  if (!volumes.has(entry.bundle)) volumes.set(entry.bundle, (last = last.then(() => open(entry))));
  return volumes.get(entry.bundle);
}

// The numbers of the pages of a volume.
export async function numbers(entry) {
  const { first, pages } = await get(`${entry.bundle}pages.json`, entry.tag);
  return pages.map(([offset]) => first + offset);
}

// The first digits of the records' SHA-256 of a volume: [[digits, number]].
export async function hashes(entry) {
  const [list, found] = await Promise.all([numbers(entry), get(`${entry.bundle}hashes.json`, entry.tag)]);
  return found.map((digits, n) => [digits, list[n]]);
}

// Does work on the index. After an error the next search starts from nothing.
export async function guarded(work) {
  try {
    return await within(work());
  } catch (error) {
    for (const opening of volumes.values()) opening.then((volume) => volume.instance.destroy()).catch(() => {});
    [catalogue, volumes, last] = [undefined, new Map(), Promise.resolve()];
    mend();
    throw error;
  }
}
