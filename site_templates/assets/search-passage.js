// Which passage of a disclosure a search result shows, and where it links. Pure functions on Pagefind's fragments.
// Text comes out as pieces, never as HTML: a model wrote it.

import { placesOf } from "./search-document.js";

const LENGTH = 40;

// Letters and digits of a word in lower case: "Hinge," and "hinge" are one word.
const bare = (word) => word.toLowerCase().replace(/[^\p{L}\p{N}]/gu, "");

// The window of LENGTH words of a place that holds the most different words that were searched for.
function best(place, hits, words) {
  let top = { score: -1 };
  for (const { location } of hits) {
    const inside = hits.filter((hit) => hit.location >= location && hit.location < location + LENGTH);
    const different = new Map();
    for (const hit of inside) {
      const word = bare(words[hit.location] ?? "");
      different.set(word, Math.max(different.get(word) ?? 0, hit.balanced_score || 1));
    }
    const score = [...different.values()].reduce((sum, value) => sum + value, 0) + inside.length / 1000;
    if (score > top.score) top = { score, first: location, last: Math.max(...inside.map((hit) => hit.location)) };
  }
  const room = LENGTH - (top.last - top.first + 1);
  const start = Math.max(place.at, Math.min(top.first - Math.floor(room / 2), place.end - LENGTH));
  return { ...top, start, stop: Math.min(place.end, start + LENGTH) };
}

// A window as pieces of text: [{text, hit}], with the punctuation around a word that was found outside of its piece.
function cut(window, place, marked, words) {
  const pieces = [];
  const add = (text, hit) => {
    const last = pieces.at(-1);
    if (last && last.hit === hit) last.text += text;
    else if (text) pieces.push({ text, hit });
  };
  if (window.start > place.at) add("… ", false);
  for (let at = window.start; at < window.stop; at++) {
    const [, before, word, after] = /^([^\p{L}\p{N}]*)(.*?)([^\p{L}\p{N}]*)$/su.exec(words[at] ?? "");
    add(before, false);
    add(word, marked.has(at) && word !== "");
    add(after + (at + 1 < window.stop ? " " : ""), false);
  }
  if (window.stop < place.end) add("\u00a0…", false);
  return pieces;
}

// The words of a fragment that were found, as they stand in the text.
export function surfaces(fragment) {
  const words = fragment.content.split(/\s+/);
  return (fragment.weighted_locations ?? []).map((hit) => words[hit.location] ?? "");
}

// {label, anchor, pieces, also: [{label, anchor}]}: the passage to show, then the other places that hold the words.
export function passage(fragment) {
  const words = fragment.content.split(/\s+/);
  const hits = fragment.weighted_locations ?? [];
  const marked = new Set(hits.map((hit) => hit.location));
  const matching = [];
  for (const place of placesOf(fragment, words)) {
    const inside = hits.filter((hit) => hit.location >= place.at && hit.location < place.end);
    if (place.label && inside.length) matching.push({ place, window: best(place, inside, words) });
  }
  // The title stands above the passage already, so any other place comes before it.
  const inText = matching.filter(({ place }) => place.anchor);
  const shown = inText.reduce((top, next) => (top.window.score >= next.window.score ? top : next), inText[0] ?? matching[0]);
  if (!shown) return { label: "", anchor: "", pieces: [], also: [] };
  const others = matching.filter((match) => match !== shown && match.place.anchor && match.place.anchor !== shown.place.anchor);
  return {
    label: shown.place.label,
    anchor: shown.place.anchor,
    pieces: cut(shown.window, shown.place, marked, words),
    also: others.map(({ place }) => ({ label: place.label, anchor: place.anchor })),
  };
}
