// The disclosures nearest to a pasted claim. The rarest words choose the candidates; then whole texts are compared.

import { elementsOf, fit, root, rootsOf, shorten, telling, weightOf } from "./search-claim.js";
import { read } from "./search-document.js";
import { guarded, loadCatalogue, openVolume } from "./search-index.js";

const ASKED = 40; // words that the index is asked for in a volume
const CHEAP = 30_000; // pages that these words may have in all
const READ = 60; // texts that are compared as a whole
const AT_ONCE = 20;

// The pages of a volume with the sum of the weights of the claim's rarest words on them: [[page, weight]].
async function nearest(words, volume) {
  const known = await Promise.all(words.map(async (word) => ({ word, count: (await volume.word(word)).count })));
  known.sort((a, b) => a.count - b.count);
  const sums = new Map();
  let [asked, cost] = [0, 0];
  for (const { word, count } of known) {
    if (asked >= ASKED || (cost + count > CHEAP && sums.size > READ)) break;
    // A word that no page holds in this form may stand there with another ending.
    const ids = count ? await volume.holding(word) : new Set((await volume.search(`"${word}"`)).map(({ id }) => id));
    if (!ids) continue;
    asked += 1;
    cost += ids.size;
    const weight = weightOf(ids.size, volume.pages.size) ** 2;
    for (const id of ids) sums.set(id, (sums.get(id) ?? 0) + weight);
  }
  return [...sums].sort((a, b) => b[1] - a[1]).slice(0, READ).map(([id, weight]) => [volume.pages.get(id), weight]);
}

// The weight of each root: rare words count more. Counted over the words of the claim as they are written.
async function weigh(text, opened) {
  const pages = opened.reduce((sum, volume) => sum + volume.pages.size, 0);
  const weights = new Map();
  for (const word of new Set(telling(text))) {
    const counts = await Promise.all(opened.map((volume) => volume.word(word)));
    const weight = weightOf(counts.reduce((sum, { count }) => sum + count, 0), pages);
    weights.set(root(word), Math.min(weights.get(root(word)) ?? Infinity, weight));
  }
  return weights;
}

// {results: [{page, title, document, score, rows}], elements, dropped, longer, pages} over opened volumes, best first.
export async function rankClaim(claim, opened, passes) {
  const { text, longer } = shorten(claim);
  const { elements, dropped } = elementsOf(text);
  const weights = await weigh(text, opened);
  const roots = [...rootsOf(text).keys()];
  const words = [...rootsOf(text).values()];
  const found = [];
  for (const volume of opened) found.push(...(await nearest(words, volume)));
  const chosen = found.filter(([page]) => passes(page)).sort((a, b) => b[1] - a[1]).slice(0, READ);
  const results = [];
  for (let at = 0; at < chosen.length; at += AT_ONCE) {
    results.push(...(await Promise.all(chosen.slice(at, at + AT_ONCE).map(([page]) => compare(page, roots, elements, weights)))));
  }
  results.sort((a, b) => b.score - a.score || b.page.serial - a.page.serial);
  return { results, elements, dropped, longer, pages: opened.reduce((sum, volume) => sum + volume.pages.size, 0) };
}

// The same for the newest `count` volumes of the site. `passes` tells which pages may be results.
export const findClaim = (claim, { volumes: count, passes }) => guarded(async () => {
  const { volumes } = await loadCatalogue();
  const opened = await Promise.all(volumes.slice(0, count).map(openVolume));
  return { ...(await rankClaim(claim, opened, passes)), searched: opened.length, eligible: volumes.length };
});

async function compare(page, roots, elements, weights) {
  const fragment = await page.volume.fragment(page.id);
  const document = read(fragment);
  return { page, title: fragment.meta.title ?? "", document, ...fit(roots, elements, document, weights) };
}
