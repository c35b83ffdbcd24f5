// The ranking of "Paste a claim" under node, on patents: the page's own code, except that an index of the claims' roots
// stands in for Pagefind's stems, and texts come from memory. Used by tests/benchmarks/claims/__main__.py.

import { readFileSync } from "node:fs";

globalThis.window = { fetch: () => Promise.reject(new Error("no network")) };
const assets = new URL("../../../site_templates/assets/", import.meta.url);
const { rankClaim } = await import(new URL("search-claim-find.js", assets));
const { root } = await import(new URL("search-claim.js", assets));
const { wordsIn } = await import(new URL("search-words.js", assets));

function fragmentOf({ title, abstract, claims }) {
  const anchors = [{ id: "title", location: 0 }];
  const pieces = title.split(/\s+/);
  const add = (id, text) => {
    anchors.push({ id, location: pieces.length });
    pieces.push(...text.split(/\s+/));
  };
  add("abstract-text", abstract);
  claims.forEach((claim, n) => add(`claim-${n + 1}`, claim));
  return { content: pieces.join(" "), anchors, meta: { title } };
}

class Memory {
  constructor(patents) {
    [this.pages, this.fragments, this.counts, this.byRoot] = [new Map(), new Map(), new Map(), new Map()];
    patents.forEach((patent, serial) => {
      const id = String(serial);
      const fragment = fragmentOf(patent);
      this.pages.set(id, { id, serial, volume: this });
      this.fragments.set(id, fragment);
      const words = new Set(wordsIn(fragment.content));
      for (const word of words) this.counts.set(word, (this.counts.get(word) ?? 0) + 1);
      for (const one of new Set([...words].map(root))) {
        if (!this.byRoot.has(one)) this.byRoot.set(one, new Set());
        this.byRoot.get(one).add(id);
      }
    });
  }
  word(word) { return { count: this.counts.get(word) ?? 0, odd: [] }; }
  holding(word) { return this.byRoot.get(root(word)) ?? new Set(); }
  search(quoted) { return [...this.holding(quoted.replaceAll('"', ""))].map((id) => ({ id })); }
  fragment(id) { return this.fragments.get(id); }
}

/* Of the processor, so that a busy machine makes no difference. */
function cpuSeconds(start) {
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1e6;
}

const { patents, claims } = JSON.parse(readFileSync(0, "utf8"));
const volume = new Memory(patents);
const answers = [];
for (const { text, twin } of claims) {
  const start = process.cpuUsage();
  const { results } = await rankClaim(text, [volume], () => true);
  answers.push({ place: results.findIndex(({ page }) => page.serial === twin), seconds: cpuSeconds(start) });
}
process.stdout.write(JSON.stringify(answers));
