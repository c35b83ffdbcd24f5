// A pasted claim: its elements, the weight of its words, and how well a text fits it. Pure functions.

import { wordsIn } from "./search-words.js";

export const MOST_WORDS = 20_000;
export const MOST_ELEMENTS = 60;
// Words of grammar and of claim drafting say nothing of a thing: the list of generator/base/words.py, and names of claims.
const COMMON = new Set(`a about according also an and any are as at be been being between by can claim claimed claims
comprise comprised comprises comprising disclosed each embodiment embodiments first for from further has have having in
include included includes including into invention is it its least may means method methods more of on one or other
plurality present provided said same second such system that the their then there thereby therein thereof these third
they this those to two upon used using via was were when where wherein whereby which while with within without process
apparatus device consisting characterized characterised step steps`.split(/\s+/));
const ENDINGS = /(?:ically|ations?|ators?|ating|ated|ates?|ingly|edly|ings?|ions?|ed|es|ers?|ors?|ly|s|e)$/;

const cuts = new Map();

// A word without its ending, so that "settling" and "settled" are one; at least four letters stay.
export function root(word) {
  if (!cuts.has(word)) cuts.set(word, cut(word));
  return cuts.get(word);
}

function cut(word) {
  const bare = word.replace(ENDINGS, "");
  const kept = bare.length >= 4 ? bare : word.length > 4 ? word.replace(/(?:es|s|e)$/, "") : word;
  return kept.replace(/([b-df-hj-np-tv-z])\1$/, "$1");
}

export const telling = (text) => wordsIn(text).filter((word) => !COMMON.has(word) && !(word.length < 2) && !/^\d+$/.test(word));

// A claim as its elements: what stands between semicolons, line breaks, and after the words that open a list.
export function elementsOf(text) {
  const bare = text.replace(/^\s*(?:claim\s+)?\d{1,3}\s*[.)]\s+/i, "");
  const parts = bare.split(/;|\r?\n|:(?=\s)|\b(?:comprising|consisting of|comprises|including|includes|characteri[sz]ed in that)\b[:,]?/i);
  const elements = parts.map((part) => part.replace(/^[\s,]*(?:and|or)?[\s,]+|[\s,.]+$/g, " ").replace(/\s+/g, " ").trim())
    .filter((part) => telling(part).length > 0);
  return { elements: elements.slice(0, MOST_ELEMENTS), dropped: Math.max(0, elements.length - MOST_ELEMENTS) };
}

// The first MOST_WORDS words of a text, and whether there were more.
export function shorten(text) {
  const cut = text.slice(0, MOST_WORDS * 12);
  const pieces = cut.match(/\S+\s*/g) ?? [];
  return { text: pieces.slice(0, MOST_WORDS).join(""), longer: cut.length < text.length || pieces.length > MOST_WORDS };
}

// Each telling word once: root -> word as it was written first.
export function rootsOf(text) {
  const found = new Map();
  for (const word of telling(text)) if (!found.has(root(word))) found.set(root(word), word);
  return found;
}

export const weightOf = (count, pages) => Math.log(1 + pages / (1 + count));

// The share of the weight of some roots that a set of roots holds, 0 to 1.
export function share(roots, held, weights) {
  let [sum, all] = [0, 0];
  for (const one of roots) {
    const weight = weights.get(one) ?? 0;
    all += weight;
    if (held.has(one)) sum += weight;
  }
  return all ? sum / all : 0;
}

// The passages of a document (search-document.js): claims, paragraphs and the abstract, each with its roots.
export function passagesOf(document) {
  return document.places.map((place, number) => {
    const from = document.place.indexOf(number);
    const to = document.place.lastIndexOf(number);
    const roots = new Set(from < 0 ? [] : document.words.slice(from, to + 1).map(root));
    return { place, number, roots };
  });
}

// For each element its best passage: [{element, place, share, roots}]. A tie goes to the shorter passage.
export function chart(elements, document, weights) {
  const passages = passagesOf(document).filter(({ place }) => place.anchor);
  return elements.map((element) => {
    const wanted = [...rootsOf(element).keys()];
    let top = { place: null, share: 0, roots: new Set() };
    for (const { place, roots } of passages) {
      const found = share(wanted, roots, weights);
      const closer = found > top.share + 1e-9 || (found > 0 && Math.abs(found - top.share) < 1e-9 && top.place && place.end - place.at < top.place.end - top.place.at);
      if (closer) top = { place, share: found, roots };
    }
    return { element, place: top.place, share: top.share, words: wanted.filter((one) => top.roots.has(one)) };
  });
}

// {score, rows}: how well a document fits a claim, by the weight of all words in it and of each element in one passage.
export function fit(roots, elements, document, weights) {
  const whole = share(roots, new Set(document.words.map(root)), weights);
  const rows = chart(elements, document, weights);
  return { score: whole + rows.reduce((sum, row) => sum + row.share, 0) / Math.max(1, rows.length), rows };
}
