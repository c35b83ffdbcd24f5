/* From a record and its evidence to a signed checkpoint, step by step. Pure functions of bytes: the page's box and the
   second verifier in the tests use them. Formats: docs/record-format.md; RFC 6962; C2SP tlog-proof, signed-note. */
"use strict";
(() => {
  class Failed extends Error {}
  class Unchecked extends Error {}

  const utf8 = new TextEncoder();
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
      if (btoa(Array.from(bytes, (b) => String.fromCharCode(b)).join("")) === text) return bytes;
    } catch { /* falls through */ }
    throw new Failed("a line of the evidence, proof or key is not base64");
  };
  const decode = (bytes, what) => {
    try { return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes); }
    catch { throw new Failed(`${what} is not UTF-8`); }
  };
  const INDEX = "0|[1-9][0-9]{0,14}";
  const NAME = /^[^\x00-\x20+\x7f-\xa0\u1680\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff]+$/;

  /* C2SP tlog-proof: header, perhaps an extra line, index, hashes, an empty line, the checkpoint. */
  function parseProof(text) {
    const cut = text.indexOf("\n\n");
    const lines = text.slice(0, Math.max(cut, 0)).split("\n");
    check(cut > 0 && lines.shift() === "c2sp.org/tlog-proof@v1", "the proof file does not begin as a proof does");
    if ((lines[0] || "").startsWith("extra ")) base64(lines.shift().slice(6));
    const index = new RegExp(`^index (${INDEX})$`).exec(lines.shift() || "");
    check(index && lines.length <= 63, "the proof names no index, or too many hashes");
    return { index: BigInt(index[1]), hashes: lines.map(hash), note: text.slice(cut + 2) };
  }
  function hash(line) {
    const bytes = base64(line);
    check(bytes.length === 32, "a hash is not 32 bytes long");
    return bytes;
  }

  /* The evidence of a disclosure: entries of the log with their proofs, under one checkpoint. */
  function parseEvidence(text) {
    const cut = text.indexOf("\n\n");
    const [header, ...lines] = text.slice(0, Math.max(cut, 0)).split("\n");
    check(cut > 0 && header === "prior-art-evidence/v1", "the evidence does not begin as evidence does");
    const entries = [];
    for (const line of lines) {
      const entry = new RegExp(`^entry (${INDEX}) ([A-Za-z0-9+/]+={0,2})$`).exec(line);
      if (entry) entries.push({ index: BigInt(entry[1]), data: base64(entry[2]), hashes: [] });
      else {
        check(entries.length && entries.at(-1).hashes.length < 63, "a line of the evidence is out of place");
        entries.at(-1).hashes.push(hash(line));
      }
    }
    check(entries.length > 0 && entries.length <= 8, "the evidence has no entry, or too many");
    return { entries, note: text.slice(cut + 2), ...meaning(entries) };
  }

  /* What the entries say of the first one, which is the disclosure itself. */
  function meaning(entries) {
    const serial = entries[0].index;
    const told = { serial, published: null, supersededBy: null, supersedes: null, withdrawn: null };
    const once = (name, value) => { check(told[name] === null, `two entries say ${name}`); told[name] = value; };
    entries.slice(1).forEach(({ index, data }, i) => {
      check(index > entries[i].index, "the entries of the evidence are not in the order of the log");
      const text = decode(data, "an entry");
      const dated = new RegExp(`^published/v1\ntime (${TIME})\n((?:leaves (?:${INDEX})-(?:${INDEX})\n)+)(?:replaces (?:${INDEX})\n)?$`).exec(text);
      const pair = new RegExp(`^supersede/v1\nleaf (${INDEX})\nby (${INDEX})\n$`).exec(text);
      const gone = new RegExp(`^withdraw/v1\nleaf (${INDEX})\nreason [a-z-]{1,40}\nnotice sha256:[0-9a-f]{64}\n(?:time (?:${TIME})\n)?$`).exec(text);
      const ranges = dated ? [...dated[2].matchAll(/leaves (\d+)-(\d+)\n/g)] : [];
      if (ranges.some(([, first, last]) => BigInt(first) <= serial && serial <= BigInt(last))) once("published", { index, time: dated[1] });
      else if (pair && BigInt(pair[1]) === serial && BigInt(pair[2]) !== serial && BigInt(pair[2]) < index) once("supersededBy", BigInt(pair[2]));
      else if (pair && BigInt(pair[2]) === serial && BigInt(pair[1]) !== serial && BigInt(pair[1]) < index) once("supersedes", BigInt(pair[1]));
      else if (gone && BigInt(gone[1]) === serial) once("withdrawn", index);
      else throw new Failed(`entry ${index} says nothing of disclosure ${serial}`);
    });
    return told;
  }
  const TIME = "[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z";

  /* C2SP signed-note and tlog-checkpoint. Lines after the third are extensions; other signatures are not looked at. */
  function parseCheckpoint(note) {
    const cut = note.lastIndexOf("\n\n");
    check(cut > 0 && note.endsWith("\n") && note.length <= 1_000_000, "the checkpoint is not a signed note");
    const body = note.slice(0, cut + 1);
    const lines = body.split("\n").slice(0, -1);
    check(lines.length >= 3 && NAME.test(lines[0]) && /^[1-9][0-9]{0,14}$/.test(lines[1]), "the checkpoint is not origin, size and root");
    check(lines.slice(3).every(Boolean), "an extension line of the checkpoint is empty");
    const signatures = note.slice(cut + 2, -1).split("\n").map((line) => {
      const [, name, text] = /^— (\S+) (\S+)$/.exec(line) || [];
      check(name && NAME.test(name), "a signature line of the checkpoint is malformed");
      const data = base64(text);
      check(data.length >= 5, "a signature line of the checkpoint is malformed");
      return { name, data };
    });
    return { body, origin: lines[0], size: BigInt(lines[1]), root: hash(lines[2]), signatures };
  }

  /* RFC 9162, 2.1.3.2 */
  async function rootFrom(leaf, index, size, hashes) {
    check(index < size, "the index lies outside of the log that the checkpoint describes");
    let [first, last, result] = [index, size - 1n, leaf];
    for (const sibling of hashes) {
      check(last > 0n, "the inclusion proof has the wrong length");
      if (first % 2n === 1n || first === last) {
        result = await sha256([1], sibling, result);
        while (first % 2n === 0n && first > 0n) { first >>= 1n; last >>= 1n; }
      } else {
        result = await sha256([1], result, sibling);
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
    const mine = checkpoint.signatures.filter((one) => one.name === name && hex(one.data.slice(0, 4)) === id);
    check(mine.length, "the checkpoint bears no signature of this log's key");
    let imported;
    try {
      imported = await crypto.subtle.importKey("raw", key.slice(1), { name: "Ed25519" }, false, ["verify"]);
    } catch {
      throw new Unchecked("this browser cannot check Ed25519 signatures; a newer one, or prior-art verify, can");
    }
    for (const { data } of mine) {
      const good = await crypto.subtle.verify({ name: "Ed25519" }, imported, data.slice(4), utf8.encode(checkpoint.body));
      check(good, "the signature does not fit the checkpoint");
    }
  }

  /* Every entry of the evidence leads to the root; the first one is the entry of exactly these bytes. */
  async function checkEvidence(record, evidence) {
    const checkpoint = parseCheckpoint(evidence.note);
    const digest = hex(await sha256(record));
    const entry = utf8.encode(`disclosure/v1\nrecord sha256:${digest} ${record.length}\n`);
    check(same(entry, evidence.entries[0].data), "the evidence is of another record");
    for (const { index, data, hashes } of evidence.entries) {
      const root = await rootFrom(await sha256([0], data), index, checkpoint.size, hashes);
      check(same(root, checkpoint.root), `the inclusion proof does not lead from entry ${index} to the checkpoint`);
    }
    return { checkpoint, digest };
  }

  async function checkProof(record, proof) {
    const checkpoint = parseCheckpoint(proof.note);
    const entry = `disclosure/v1\nrecord sha256:${hex(await sha256(record))} ${record.length}\n`;
    const root = await rootFrom(await sha256([0], utf8.encode(entry)), proof.index, checkpoint.size, proof.hashes);
    check(same(root, checkpoint.root), "the inclusion proof does not lead from this record to the checkpoint");
    return checkpoint;
  }

  globalThis.pressLog = {
    Failed, Unchecked, check, base64, decode, hex, sha256,
    parseProof, parseEvidence, parseCheckpoint, checkSignature, checkEvidence, checkProof, rootFrom, TIME,
  };
})();
