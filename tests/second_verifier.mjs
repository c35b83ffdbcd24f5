/* The second verifier: pairs of a record with proof and evidence, by the page's own script and this file alone.
   A line of standard input names a pair; a line of output is `yes`, `no` or `not checked`. */
import fs from "node:fs";
import readline from "node:readline";
import vm from "node:vm";

const [, , script, vkey] = process.argv;
vm.runInThisContext(fs.readFileSync(script, "utf8"));
const { Failed, check, decode, parseProof, parseEvidence, parseCheckpoint, checkSignature, checkEvidence, checkProof, TIME } = globalThis.pressLog;

/* docs/record-format.md, section 1 */
const BIDI = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069";
const REFUSED = new RegExp(`[\\u0000-\\u0009\\u000b-\\u001f\\u007f-\\u009f\\u2028\\u2029\\ufeff\\ufdd0-\\ufdef${BIDI}]`);
function canonical(value, depth = 0) {
  check(depth <= 16, "nested too deep");
  if (typeof value === "boolean") return String(value);
  if (typeof value === "number") {
    check(Number.isSafeInteger(value), "not an integer");
    return String(value);
  }
  if (typeof value === "string") {
    check(value.isWellFormed() && value === value.normalize("NFC") && !REFUSED.test(value), "a string is not of this format");
    check(![...value].some((c) => (c.codePointAt(0) & 0xfffe) === 0xfffe), "a noncharacter");
    return `"${value.replace(/["\\]/g, "\\$&").replaceAll("\n", "\\n")}"`;
  }
  check(typeof value === "object" && value !== null, "null");
  if (Array.isArray(value)) return `[${value.map((item) => canonical(item, depth + 1)).join(",")}]`;
  const keys = Object.keys(value).sort();
  check(keys.every((key) => /^[a-z0-9_]+$/.test(key)), "a key");
  return `{${keys.map((key) => `"${key}":${canonical(value[key], depth + 1)}`).join(",")}}`;
}

/* section 2 */
const WHITE = "\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";
const ENDS = new RegExp(`^[${WHITE}]|[${WHITE}]$`);
const line = (limit) => (v) => typeof v === "string" && v !== "" && [...v].length <= limit && !ENDS.test(v) && !v.includes("\n");
const time = (v) => typeof v === "string" && new RegExp(`^${TIME}$`).test(v) && v >= "0001" && new Date(v).toISOString().slice(0, 10) === v.slice(0, 10);
const form = (pattern) => (v) => typeof v === "string" && new RegExp(`^(?:${pattern})$`).test(v);
const count = (v) => Number.isSafeInteger(v) && v >= 0;
const ascending = (v) => Array.isArray(v) && v.every((n, i) => count(n) && (i === 0 || v[i - 1] < n));
const list = (limit, least, holds) => (v) => Array.isArray(v) && v.length >= least && v.length <= limit && v.every(holds);
const members = (schema, optional = {}) => (v) => typeof v === "object" && v !== null && !Array.isArray(v)
  && Object.entries(schema).every(([name, holds]) => Object.hasOwn(v, name) && holds(v[name]))
  && Object.keys(v).every((name) => Object.hasOwn(schema, name) || (Object.hasOwn(optional, name) && optional[name](v[name])));
const generation = {
  model: line(200), revision: line(100), weights_sha256: form("[0-9a-f]{64}"), tokenizer_sha256: form("[0-9a-f]{64}"),
  model_license: line(100), model_attribution: line(1000), demonstration: (v) => typeof v === "boolean",
  direction: form("top-down|bottom-up"), prompt: (v) => typeof v === "string" && [...v].length <= 20000,
  topic: (v) => typeof v === "string" && [...v].length <= 200, seed: form("[0-9a-f]{16}"),
  sampling: (v) => typeof v === "object" && !Array.isArray(v) && Object.values(v).every(line(40)),
  prompt_tokens: count, new_tokens: count, stop: form("end|limit"), removed_claims: ascending, engine: line(100),
  number_format: line(40), generator_version: line(40), torch_version: line(100), transformers_version: line(40), cpu_capability: line(100),
};
const generation2 = {
  ...generation, adapter_sha256: form("(?:[0-9a-f]{64})?"), topic_rule: form("(?:publisher-list|known-elements|substitution|known-technique)?"),
  topic_symbols: list(20, 0, form("[A-HY](?:[0-9]{2}(?:[A-Z](?:[0-9]{1,4}/[0-9]{2,6})?)?)?")),
};
const common = {
  title: line(500), abstract: line(20000),
  description: list(2000, 0, members({ origin: form("model|restated"), text: line(20000) })),
  claims: list(500, 1, members({ number: count, text: line(20000), depends_on: ascending })),
  language: form("[a-z]{2,3}"), created_at: time, publisher: line(200), license: form("CC0-1\\.0"),
  ai_generated: (v) => v === true, review: line(200), salt: form("[0-9a-f]{32}"),
};
const first = members({ ...common, schema: form("prior-art-record/v1"), generation: members(generation) });
const second = members(
  { ...common, schema: form("prior-art-record/v2"), unicode: form("14\\.0"), generation: members(generation2) },
  { contributor: line(200), beacon: members({ source: line(200), round: count, value: form("[0-9a-f]{1,256}") }) },
);
/* Unicode 14.0; the engine knows a later version, so what was assigned since is not seen here. */
const record = (v) => first(v) || (second(v) && !/\p{Cn}/u.test(JSON.stringify(v)));
const ordered = (claims) => claims.every((claim, i) => claim.number === i + 1 && claim.depends_on.every((n) => n > 0 && n <= i));

function read(path, limit) {
  const handle = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
  try {
    const known = fs.fstatSync(handle);
    if (!known.isFile() || known.size > limit) throw new Error("not a regular file of this size");
    return new Uint8Array(fs.readFileSync(handle));
  } finally { fs.closeSync(handle); }
}

async function verify({ stem, serial }) {
  const bytes = read(`${stem}.json`, 1 << 20);
  const text = decode(bytes, "the record");
  let value;
  try { value = JSON.parse(text); } catch { throw new Failed("not JSON"); }
  check(canonical(value) === text && record(value) && ordered(value.claims), "not a canonical record");
  const files = [".proof", ".evidence"].filter((kind) => fs.existsSync(stem + kind));
  if (!files.length) throw new Error("no proof");
  for (const kind of files) {
    const said = decode(read(stem + kind, 1 << 20), "the proof");
    check(!said.includes("\r\n"), "CR LF");
    const one = kind === ".proof" ? parseProof(said) : parseEvidence(said);
    check((one.index ?? one.serial) === BigInt(serial), "another number");
    if (kind === ".proof") await checkProof(bytes, one);
    else await checkEvidence(bytes, one);
    await checkSignature(parseCheckpoint(one.note), vkey);
    if (one.published) check(one.published.time >= value.created_at, "published before it was made");
  }
}

for await (const asked of readline.createInterface({ input: process.stdin })) {
  try {
    await verify(JSON.parse(asked));
    console.log("yes");
  } catch (error) {
    console.log(error instanceof Failed ? "no" : error instanceof RangeError ? "no" : "not checked");
  }
}
