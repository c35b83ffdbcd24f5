// Which pages of a volume can fit a tree of the search language. The set is never too small; the texts decide.

import { isPattern, matcher } from "./search-syntax.js";

const FEW = 40; // pages that are sooner read than told apart by a further question to the index
const EXPANSIONS = 60; // words; a pattern that fits more says little about a page

const union = (sets) => (sets.includes(null) ? null : new Set(sets.flatMap((set) => [...set])));
const both = (a, b) => (a === null ? b : b === null ? a : new Set([...a].filter((id) => b.has(id))));

// The words of a volume that a pattern stands for.
async function expansions(pattern, volume) {
  if (!isPattern(pattern)) return [pattern];
  const [start] = /^[^$?]*/.exec(pattern);
  return volume.expand(matcher(pattern), start);
}

async function weigh(pattern, volume) {
  const words = await expansions(pattern, volume);
  const counts = await Promise.all(words.map((word) => volume.word(word)));
  return { words, count: counts.reduce((sum, { count }) => sum + count, 0) };
}

async function ofWords(node, volume) {
  const weighed = await Promise.all(node.words.map((pattern) => weigh(pattern, volume)));
  let found = null;
  for (const { words, count } of weighed.sort((a, b) => a.count - b.count)) {
    if (!count) return new Set();
    if (found && found.size <= FEW) break;
    if (words.length > EXPANSIONS) continue;
    const sets = [];
    for (const word of words) sets.push(await volume.holding(word));
    found = both(found, union(sets));
  }
  return found;
}

// How many pages a node may have at most, roughly: the smallest is asked for first.
async function weight(node, volume) {
  if (node.op === "words") return Math.min(...(await Promise.all(node.words.map(async (word) => (await weigh(word, volume)).count))));
  if (!node.args) return 0;
  if (node.op === "not") return Infinity;
  const parts = await Promise.all(node.args.map((arg) => weight(arg, volume)));
  return node.op === "or" || node.op === "xor" ? parts.reduce((sum, part) => sum + part, 0) : Math.min(...parts);
}

// Identifiers of the pages of a volume that can fit; null where each page can. `fitsFacts` decides what needs no text.
export async function candidates(node, volume, fitsFacts) {
  if (node.op === "not") return null;
  if (node.op === "words") return ofWords(node, volume);
  if (!node.args) return new Set([...volume.pages.values()].filter((page) => fitsFacts(node, page)).map(({ id }) => id));
  if (node.op === "or" || node.op === "xor") {
    const sets = [];
    for (const arg of node.args) sets.push(await candidates(arg, volume, fitsFacts));
    return union(sets);
  }
  const weighed = await Promise.all(node.args.map(async (arg) => ({ arg, weight: await weight(arg, volume) })));
  let found = null;
  for (const { arg } of weighed.sort((a, b) => a.weight - b.weight)) {
    if (found && found.size <= FEW) break;
    found = both(found, await candidates(arg, volume, fitsFacts));
  }
  return found;
}
