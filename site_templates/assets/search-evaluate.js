// Whether a disclosure fits a tree of the search language, and where. Pure functions on search-document.js and
// search-syntax.js. A span {from, to} is a run of word positions; distances are counted in words, sentences, paragraphs.

import { isPattern, matcher } from "./search-syntax.js";

const matchers = new Map();
const MOST_SPANS = 20_000;

function positions(document, pattern) {
  if (!isPattern(pattern)) return document.index.get(pattern) ?? [];
  if (!matchers.has(pattern)) matchers.set(pattern, matcher(pattern));
  const fits = matchers.get(pattern);
  const found = [...document.index].filter(([word]) => fits.test(word)).flatMap(([, places]) => places);
  return found.sort((a, b) => a - b);
}

function spansOfWords(node, document) {
  const [first, ...rest] = node.words;
  const later = rest.map((pattern) => new Set(positions(document, pattern)));
  const inField = (at) => !node.fields || node.fields.includes(document.places[document.place[at]].kind);
  return positions(document, first)
    .filter((at) => inField(at) && document.sentence[at] === document.sentence[at + rest.length])
    .filter((at) => later.every((places, n) => places.has(at + n + 1)))
    .map((at) => ({ from: at, to: at + rest.length }));
}

const gap = (a, b, of) => Math.max(0, of[b.from] - of[a.to], of[a.from] - of[b.to]);

const NEAR = {
  adj: (a, b, n, doc) => b.from - a.to >= 1 && b.from - a.to <= n && doc.sentence[a.from] === doc.sentence[b.to],
  near: (a, b, n, doc) => NEAR.adj(a, b, n, doc) || NEAR.adj(b, a, n, doc),
  with: (a, b, n, doc) => gap(a, b, doc.place) === 0 && gap(a, b, doc.sentence) < n,
  same: (a, b, n, doc) => gap(a, b, doc.place) < n,
};

// The spans of a positional node: words, proximity, or an OR of these.
export function spans(node, document) {
  if (node.op === "words") return spansOfWords(node, document);
  if (node.op === "or") return node.args.flatMap((arg) => spans(arg, document));
  const [left, right] = node.args.map((arg) => spans(arg, document));
  const found = new Map();
  for (const a of left) {
    for (const b of right) {
      if (!NEAR[node.op](a, b, node.n, document)) continue;
      const span = { from: Math.min(a.from, b.from), to: Math.max(a.to, b.to), parts: [...(a.parts ?? [a]), ...(b.parts ?? [b])] };
      found.set(`${span.from} ${span.to}`, span);
      if (found.size >= MOST_SPANS) return [...found.values()];
    }
  }
  return [...found.values()];
}

function fitsApart(node, facts) {
  if (node.op === "number") return facts.serial === node.serial;
  if (node.op === "cpc") return Boolean(facts.cpc) && facts.cpc.startsWith(node.symbol);
  return Boolean(facts.day) && facts.day >= node.from && (!node.to || facts.day <= node.to);
}

// Whether a page fits. `facts` are what stands beside its text: {serial, day, cpc}.
export function fits(node, document, facts) {
  if (node.op === "and") return node.args.every((arg) => fits(arg, document, facts));
  if (node.op === "not") return !fits(node.args[0], document, facts);
  if (node.op === "xor") return fits(node.args[0], document, facts) !== fits(node.args[1], document, facts);
  if (node.op === "or") return node.args.some((arg) => fits(arg, document, facts));
  if (["date", "cpc", "number"].includes(node.op)) return fitsApart(node, facts);
  return spans(node, document).length > 0;
}

// Where what was asked for stands: [{from, to}], without what NOT excludes.
export function places(node, document) {
  if (node.op === "not") return [];
  if (["and", "xor"].includes(node.op)) return node.args.flatMap((arg) => places(arg, document));
  if (["date", "cpc", "number"].includes(node.op)) return [];
  if (node.op === "or") return node.args.flatMap((arg) => places(arg, document));
  return spans(node, document).flatMap((span) => span.parts ?? [span]);
}

// Whether the text is needed to decide.
export const needsText = (node) => (node.args ? node.args.some(needsText) : node.op === "words");

// The words that a tree asks for.
export function allLeaves(node) {
  if (node.op === "not") return [];
  return node.args ? node.args.flatMap(allLeaves) : node.op === "words" ? node.words : [];
}
