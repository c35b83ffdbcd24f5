/* The verification box: fetches the record and its proof and recomputes, in the reader's browser, every step from
   the text on the page to the signed checkpoint. Formats: docs/record-format.md; RFC 6962; C2SP tlog-proof,
   tlog-checkpoint, signed-note. Nothing is fetched from another host. */
"use strict";
(() => {
  const box = document.querySelector(".press-verify");
  if (!box) return;
  const status = box.querySelector(".press-status");
  const here = status.innerHTML; // the instructions for readers without script; they stay below the result
  const utf8 = new TextEncoder();
  const steps = document.createElement("ol");

  class Failed extends Error {}
  class Unchecked extends Error {}

  const check = (holds, message) => { if (!holds) throw new Failed(message); };
  const hex = (bytes) => Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
  const join = (...parts) => {
    const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
    parts.reduce((at, part) => { all.set(part, at); return at + part.length; }, 0);
    return all;
  };
  const same = (a, b) => a.length === b.length && a.every((byte, i) => byte === b[i]);
  const sha256 = async (...parts) => new Uint8Array(await crypto.subtle.digest("SHA-256", join(...parts)));
  const base64 = (text) => {
    try {
      const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
      if (btoa(String.fromCharCode(...bytes)) === text) return bytes;
    } catch { /* falls through */ }
    throw new Failed("a line of the proof or key is not base64");
  };

  async function get(path, what) {
    let answer;
    try {
      answer = await fetch(path, { cache: "no-cache", credentials: "omit", redirect: "error" });
    } catch {
      throw new Unchecked(`${what} could not be fetched`);
    }
    if (!answer.ok) throw new Unchecked(`${what} could not be fetched (${answer.status})`);
    return new Uint8Array(await answer.arrayBuffer());
  }
  const decode = (bytes, what) => {
    try { return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes); }
    catch { throw new Failed(`${what} is not UTF-8`); }
  };

  /* C2SP tlog-proof: header, index, hashes, an empty line, the checkpoint. */
  function parseProof(text) {
    const cut = text.indexOf("\n\n");
    const [header, index, ...hashes] = text.slice(0, Math.max(cut, 0)).split("\n");
    check(cut > 0 && header === "c2sp.org/tlog-proof@v1", "the proof file does not begin as a proof does");
    check(/^index (0|[1-9][0-9]{0,17})$/.test(index || ""), "the proof names no index");
    return { index: BigInt(index.slice(6)), hashes: hashes.map(base64), note: text.slice(cut + 2) };
  }

  /* C2SP signed-note and tlog-checkpoint. */
  function parseCheckpoint(note) {
    const cut = note.lastIndexOf("\n\n");
    check(cut > 0 && note.endsWith("\n"), "the checkpoint is not a signed note");
    const body = note.slice(0, cut + 1);
    const lines = body.split("\n");
    check(lines.length === 4 && /^[1-9][0-9]{0,17}$/.test(lines[1]), "the checkpoint is not origin, size and root");
    const signatures = note.slice(cut + 2, -1).split("\n").map((line) => /^— (\S+) (\S+)$/.exec(line));
    check(signatures.every(Boolean), "a signature line of the checkpoint is malformed");
    return { body, origin: lines[0], size: BigInt(lines[1]), root: base64(lines[2]), signatures };
  }

  /* RFC 9162, 2.1.3.2 */
  async function rootFrom(leaf, index, size, hashes) {
    check(index < size, "the index lies outside of the log that the checkpoint describes");
    let [first, last, result] = [index, size - 1n, leaf];
    for (const hash of hashes) {
      check(last > 0n && hash.length === 32, "the inclusion proof has the wrong length");
      if (first % 2n === 1n || first === last) {
        result = await sha256([1], hash, result);
        while (first % 2n === 0n && first > 0n) { first >>= 1n; last >>= 1n; }
      } else {
        result = await sha256([1], result, hash);
      }
      first >>= 1n; last >>= 1n;
    }
    check(last === 0n, "the inclusion proof has the wrong length");
    return result;
  }

  async function checkSignature(checkpoint, vkey) {
    const [, name, id, encoded] = /^([^+\s]+)\+([0-9a-f]{8})\+(\S+)$/.exec(vkey.trim()) || [];
    check(name, "the verification key is malformed");
    const key = base64(encoded);
    check(key.length === 33 && key[0] === 1, "the verification key is not an Ed25519 key");
    const expected = hex((await sha256(utf8.encode(`${name}\n`), key)).slice(0, 4));
    check(expected === id, "the verification key does not match its own key id");
    check(checkpoint.origin === name, "the checkpoint is of another log than the verification key");
    const mine = checkpoint.signatures
      .filter(([, signer]) => signer === name).map(([, , text]) => base64(text)).filter((data) => hex(data.slice(0, 4)) === id);
    check(mine.length, "the checkpoint bears no signature of this log's key");
    let imported;
    try {
      imported = await crypto.subtle.importKey("raw", key.slice(1), { name: "Ed25519" }, false, ["verify"]);
    } catch {
      throw new Unchecked("this browser cannot check Ed25519 signatures; a newer one, or prior-art verify, can");
    }
    for (const data of mine) {
      const good = await crypto.subtle.verify({ name: "Ed25519" }, imported, data.slice(4), utf8.encode(checkpoint.body));
      check(good, "the signature does not fit the checkpoint");
    }
  }

  /* The text of an element without what belongs to the page: paragraph numbers and copy buttons. */
  function shown(element) {
    const copy = element.cloneNode(true);
    copy.querySelectorAll(".press-link").forEach((extra) => extra.remove());
    const number = copy.querySelector(":scope > a.n");
    if (number) {
      number.remove();
      return copy.textContent.replace(/^ /, "");
    }
    return copy.textContent;
  }
  function compare(record) {
    const one = (selector, text, what) => {
      const found = document.querySelectorAll(selector);
      check(found.length === 1 && shown(found[0]) === text, `the ${what} on this page is not the record's`);
    };
    const many = (selector, texts, what) => {
      const found = [...document.querySelectorAll(selector)];
      check(found.length === texts.length, `this page shows ${found.length} ${what}s, the record has ${texts.length}`);
      found.forEach((element, i) => check(shown(element) === texts[i], `${what} ${i + 1} on this page is not the record's`));
    };
    one("#title", record.title, "title");
    one("#abstract-text", record.abstract, "abstract");
    many(".press-text > ol > li", record.claims.map((claim) => claim.text), "claim");
    const own = record.description.filter((paragraph) => paragraph.origin === "model");  // the page shows no restatement
    many(".press-text > p.para", own.map((paragraph) => paragraph.text), "paragraph");
    return record.claims.length + own.length + 2;
  }

  const facts = {};
  const plan = [
    ["The record has the SHA-256 that this page states", async () => {
      facts.data = await get(`${box.dataset.serial}.json`, "the record");
      facts.digest = hex(await sha256(facts.data));
      check(facts.digest === box.dataset.sha256, "the record is not the one that this page names: its SHA-256 differs");
    }],
    ["The text on this page is the record's text", async () => {
      let record;
      try { record = JSON.parse(decode(facts.data, "the record")); } catch { throw new Failed("the record is not JSON"); }
      const parts = compare(record);
      return `title, abstract, claims and paragraphs: ${parts} parts compared`;
    }],
    ["The record's entry stands in the log", async () => {
      const proof = parseProof(decode(await get(`${box.dataset.serial}.proof`, "the proof"), "the proof"));
      facts.checkpoint = parseCheckpoint(proof.note);
      check(proof.index === BigInt(box.dataset.serial), "the proof is of another disclosure");
      const entry = `disclosure/v1\nrecord sha256:${facts.digest} ${facts.data.length}\n`;
      const leaf = await sha256([0], utf8.encode(entry));
      const root = await rootFrom(leaf, proof.index, facts.checkpoint.size, proof.hashes);
      check(same(root, facts.checkpoint.root), "the inclusion proof does not lead from this record to the checkpoint");
      return `index ${proof.index} of ${facts.checkpoint.size}, ${proof.hashes.length} hashes`;
    }],
    ["The checkpoint is signed with this log's key", async () => {
      const vkey = decode(await get(box.dataset.vkey, "the verification key"), "the verification key");
      await checkSignature(facts.checkpoint, vkey);
      return `key ${vkey.trim().split("+")[1]} of ${facts.checkpoint.origin}`;
    }],
  ];

  function say(state, text) {
    box.dataset.state = state;
    status.textContent = text;
  }
  function note(mark, word, title, detail) {
    const item = document.createElement("li");
    item.dataset.mark = mark;
    const label = document.createElement("strong");
    label.textContent = `${word}: `;
    item.append(label, title + (detail ? ` (${detail})` : "") + ".");
    steps.append(item);
  }

  async function run() {
    const details = document.createElement("details");
    const summary = document.createElement("summary");
    summary.textContent = "Steps, and what they do not prove";
    const limits = document.createElement("p");
    limits.textContent = "A page that checks itself finds damage, but could be made to lie: check it with a program from "
      + "elsewhere. These steps say nothing about whether the text is right, and the publication time is the publisher's statement.";
    const hand = document.createElement("p");
    hand.innerHTML = here;
    details.append(summary, steps, limits, hand);
    box.append(details);
    say("checking", "Checking this page…");
    if (!(window.crypto && crypto.subtle)) {
      details.open = true;
      return say("unchecked", "Could not check: browsers compute hashes only on pages served over https.");
    }
    const left = [];
    for (const [title, step] of plan) {
      try {
        note("done", "Done", title, await step());
      } catch (error) {
        details.open = true;
        if (error instanceof Failed) {
          note("failed", "Failed", title, error.message);
          return say("failed", `Verification failed: ${error.message}.`);
        }
        const reason = error instanceof Unchecked ? error.message : `this browser stopped at it: ${error.message}`;
        note("left", "Not checked", title, reason);
        left.push(reason);
        if (step !== plan.at(-1)[1]) return say("unchecked", `Could not check: ${reason}.`);
      }
    }
    if (left.length) return say("unchecked", `Everything but the signature is verified. Not checked: ${left[0]}.`);
    say("verified", `Verified: this text is record ${facts.digest.slice(0, 12)}…, entry ${box.dataset.serial} of a log of `
      + `${facts.checkpoint.size} that is signed by ${facts.checkpoint.origin}.`);
  }
  run();
})();
