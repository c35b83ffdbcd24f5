// When a search finds nothing: which words stand nowhere, words of the index that are spelt nearly so, smaller searches
// that find something. Everything offered was counted.

import { isFiltered, readQuery } from "./search-address.js";
import { find, plainWords } from "./search-find.js";
import { guarded, SHARDS } from "./search-index.js";
import { allLeaves } from "./search-evaluate.js";
import { isPattern } from "./search-syntax.js";
import { wordsIn } from "./search-words.js";

const WORDS = 8;
const OFFERED = 3;

// Letters to add, drop, change or swap until one word is the other; more than `most` counts as most + 1.
export function distance(a, b, most) {
  if (Math.abs(a.length - b.length) > most) return most + 1;
  let [before, row] = [[], Array.from({ length: b.length + 1 }, (_, n) => n)];
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next[j] = Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) next[j] = Math.min(next[j], before[j - 2] + 1);
    }
    if (Math.min(...next) > most) return most + 1;
    [before, row] = [row, next];
  }
  return row[b.length];
}

// Words of the vocabulary nearest to a word: the fewest changes first, of these the commonest.
export async function nearWords(word, volumes) {
  const most = word.length > 6 ? 2 : 1;
  const counts = new Map();
  for (const volume of volumes) {
    for (const words of await Promise.all(SHARDS.map((name) => volume.shard(name)))) {
      for (const [other, known] of Object.entries(words)) {
        if (Math.abs(other.length - word.length) > most || other === word) continue;
        counts.set(other, (counts.get(other) ?? 0) + (Array.isArray(known) ? known[0] : known));
      }
    }
  }
  const near = [...counts].map(([other, count]) => ({ other, count, away: distance(word, other, most) }));
  const begins = (other) => (other[0] === word[0] ? 0 : 1);
  return near.filter(({ away }) => away <= most)
    .sort((a, b) => a.away - b.away || begins(a.other) - begins(b.other) || b.count - a.count)
    .slice(0, OFFERED).map(({ other }) => other);
}

const UNFILTERED = { from: "", before: "", cpc: "", rule: "" };
const plain = (q) => ({ q, tree: null });
const count = async (query, change) => (await find({ ...query, ...change })).results.length;

async function absentWords(query, volumes) {
  if (!query.tree) {
    const words = plainWords(query.q).slice(0, WORDS);
    const counts = await Promise.all(words.map((word) => count(query, { ...plain(word), ...UNFILTERED })));
    return words.filter((_, n) => !counts[n]).flatMap(wordsIn);
  }
  const words = allLeaves(query.tree).filter((word) => !isPattern(word)).slice(0, WORDS);
  const counts = await Promise.all(words.map(async (word) => Promise.all(volumes.map((volume) => volume.word(word)))));
  return words.filter((_, n) => counts[n].every((known) => !known.count));
}

// [{change, text, results}] to link to, and [{text}] to read.
export async function suggest(query, volumes) {
  const lines = [];
  const offer = async (change, text) => {
    const results = await count(query, change);
    if (results) lines.push({ change, text, results });
    return results;
  };
  const absent = await guarded(() => absentWords(query, volumes));
  if (absent.length) lines.push({ text: `No disclosure searched here holds ${absent.map((word) => `“${word}”`).join(" or ")}.` });
  for (const word of absent) {
    for (const other of await guarded(() => nearWords(word, volumes))) {
      const { q, tree, misread } = readQuery(new URLSearchParams({ q: query.q.replace(new RegExp(word, "iu"), other) }).toString());
      if (q !== query.q && !misread) await offer({ q, tree }, `Did you mean “${other}”?`);
    }
  }
  if (isFiltered(query)) await offer(UNFILTERED, "The same search without filters");
  const words = query.tree ? [] : plainWords(query.q).slice(0, WORDS);
  const present = words.filter((word) => !wordsIn(word).some((part) => absent.includes(part)));
  if (absent.length && present.length) {
    const rest = plain(present.join(" "));
    if (!(await offer(rest, `Only “${rest.q}”`)) && isFiltered(query)) await offer({ ...rest, ...UNFILTERED }, `Only “${rest.q}”, without filters`);
  } else if (words.length > 1) {
    for (const word of words) await offer(plain(words.filter((other) => other !== word).join(" ")), `Without “${word}”`);
  } else if (query.tree && !absent.length && allLeaves(query.tree).length > 1) {
    const all = allLeaves(query.tree).filter((word) => !isPattern(word));
    if (all.length) await offer(plain([...new Set(all)].join(" ")), "The same words in any order");
  }
  return lines;
}
