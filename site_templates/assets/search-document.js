// A disclosure as the search reads it: Pagefind's fragment of its page, cut into places, sentences and words.

import { wordsIn } from "./search-words.js";

const PLACE = /^(?:(title)|(abstract)(?:-text)?|claim-(\d+)|p-(\d+)|claims|description)$/;
const ENDS = /[.!?][)\]"'”’]*$/;
const SHORT = /^(?:(?:\p{L}\.)+|e\.g\.|i\.e\.|etc\.|figs?\.|no\.|nos\.|approx\.|vs\.|cf\.|al\.)[,;]?$/iu;

// The places of a page in the order of its words: [{at, end, kind, label, anchor}]. Headings between them have no kind.
export function placesOf(fragment, words) {
  const found = [{ at: 0, kind: "ti", label: "Title", anchor: "" }];
  for (const { id, location } of [...fragment.anchors].sort((a, b) => a.location - b.location)) {
    const [match, title, abstract, claim, paragraph] = PLACE.exec(id) ?? [];
    if (!match) continue;
    if (title) found.push({ at: location, kind: "ti", label: "Title", anchor: "" });
    else if (abstract) {
      // The heading is a word of the page and no word of the abstract.
      const heading = id === "abstract" && /^abstract\.?$/i.test(words[location] ?? "");
      if (heading) found.push({ at: location, kind: "", label: "", anchor: "" });
      found.push({ at: location + (heading ? 1 : 0), kind: "ab", label: "Abstract", anchor: "#abstract" });
    } else if (claim) found.push({ at: location, kind: "clm", label: `Claim ${claim}`, anchor: `#claim-${claim}` });
    else if (paragraph) found.push({ at: location, kind: "spec", label: `Paragraph ${paragraph}`, anchor: `#p-${paragraph}` });
    else found.push({ at: location, kind: "", label: "", anchor: "" });
  }
  found.forEach((place, n) => (place.end = found[n + 1]?.at ?? words.length));
  return found.filter((place) => place.end > place.at);
}

// Whether a sentence ends after a piece of text, given the piece that follows.
function sentenceEnds(piece, next) {
  if (!ENDS.test(piece) || SHORT.test(piece)) return false;
  return next === undefined || !/^[\p{Ll}\p{N}]/u.test(next);
}

// {words: [normalised], at: [piece of the content], place: [number], sentence: [number], places, index: Map word -> positions}
export function read(fragment) {
  const pieces = fragment.content.split(/\s+/);
  const places = placesOf(fragment, pieces).filter((place) => place.kind);
  const made = { words: [], at: [], place: [], sentence: [], places, pieces, index: new Map() };
  let sentence = 0;
  places.forEach((place, number) => {
    sentence += 1;
    for (let at = place.at; at < place.end; at++) {
      for (const word of wordsIn(pieces[at])) {
        if (!made.index.has(word)) made.index.set(word, []);
        made.index.get(word).push(made.words.length);
        made.words.push(word);
        made.at.push(at);
        made.place.push(number);
        made.sentence.push(sentence);
      }
      if (sentenceEnds(pieces[at], at + 1 < place.end ? pieces[at + 1] : undefined)) sentence += 1;
    }
  });
  return made;
}
