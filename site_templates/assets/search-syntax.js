// The search language: the operators of the USPTO's Patent Public Search, and a parser that names what it cannot read.
// Pure functions. A tree is made of {op, args, n?} and of leaves:
//   {op: "words", words: [pattern], fields: [name] or null}   one word, or several side by side
//   {op: "cpc", symbol} {op: "date", from, to} {op: "number", serial}   what stands beside the text

import { fold, wordsIn } from "./search-words.js";

export const TEXT_FIELDS = { ti: "Title", ab: "Abstract", clm: "Claims", spec: "Description" };
const FIELDS = [...Object.keys(TEXT_FIELDS), "cpc", "pd", "pn"];
const PROXIMITY = ["adj", "near", "with", "same"];
const BINDING = { or: 1, xor: 2, and: 3, not: 3, same: 4, with: 5, near: 6, adj: 6 };
const OPERATOR = /^(?:(AND|OR|NOT|XOR)|(ADJ|NEAR|WITH|SAME)(\d*))$/;
const SUFFIX = /^(.*?)\.([a-z]+(?:,[a-z]+)*)\.$/is;
export const LIMITS = { length: 20_000, depth: 1_000, terms: 1_000, distance: 999, wildcards: 4 };

// What a query cannot mean, with the place: characters at to end of the text.
export class Misread extends Error {
  constructor(message, at, end) {
    super(message);
    Object.assign(this, { at, end });
  }
}

// Whether a text uses the language. Plain words, and the signs of ordinary prose around them, do not.
export function usesOperators(text) {
  if (/["“”„$*@]|\S\?\S|\w\?|^\s*\(/.test(text) || SUFFIX.test(text.trim())) return true;
  return text.split(/[\s()]+/).some((word) => OPERATOR.test(word) || /\.(?:ti|ab|clm|spec|cpc|pd|pn)\.$/i.test(word));
}

function tokens(text) {
  if (text.length > LIMITS.length) {
    throw new Misread(`The query has ${text.length} characters; ${LIMITS.length} can be read.`, LIMITS.length, text.length);
  }
  const found = [];
  const scan = /\s+|([()])|["“”„]([^"“”„]*)(["“”„]?)((?:\.[a-z]+(?:,[a-z]+)*\.)?)|([^\s()"“”„]+)/giu;
  for (const match of text.matchAll(scan)) {
    const [all, bracket, quoted, closed, field, word] = match;
    const [at, end] = [match.index, match.index + all.length];
    if (bracket) found.push({ kind: bracket, at, end });
    else if (quoted !== undefined) {
      if (!closed) throw new Misread("This quotation mark has no partner.", at, at + 1);
      found.push({ kind: "phrase", text: quoted, fields: field ? fieldsOf(field.slice(1, -1), at, end) : null, at, end });
    } else if (word) found.push(wordToken(word, at, end, found.at(-1)));
  }
  return found;
}

function wordToken(word, at, end, before) {
  const operator = OPERATOR.exec(word);
  if (operator) {
    const n = operator[3] ? Number(operator[3]) : 1;
    if (n < 1 || n > LIMITS.distance) throw new Misread(`${word}: a distance is 1 to ${LIMITS.distance}.`, at, end);
    return { kind: "operator", op: (operator[1] ?? operator[2]).toLowerCase(), n, at, end };
  }
  if (word.startsWith("@")) return { kind: "leaf", leaf: dateRange(word, at, end), at, end };
  if (/^\.[a-z,]+\.$/i.test(word) && before?.kind === ")" && before.end === at) {
    return { kind: "field", fields: fieldsOf(word.slice(1, -1), at, end), at, end };
  }
  const [, stem, names] = SUFFIX.exec(word) ?? [];
  if (names && !stem) throw new Misread(`${word}: the field has no word before it.`, at, end);
  return { kind: "word", text: names ? stem : word, fields: names ? fieldsOf(names, at, end) : null, at, end };
}

function fieldsOf(names, at, end) {
  const fields = names.toLowerCase().split(",");
  const unknown = fields.find((name) => !FIELDS.includes(name));
  if (unknown) throw new Misread(`There is no field .${unknown}.; the fields are ${FIELDS.map((f) => `.${f}.`).join(" ")}`, at, end);
  const apart = fields.find((name) => !(name in TEXT_FIELDS));
  if (apart && fields.length > 1) throw new Misread(`.${apart}. stands alone: it cannot be joined with other fields.`, at, end);
  return fields;
}

// 20260131 or 2026-01-31 as an ISO day.
export function isoDay(text) {
  const [, year, month, day] = /^(\d{4})-?(\d\d)-?(\d\d)$/.exec(text) ?? [];
  const iso = `${year}-${month}-${day}`;
  const time = year ? new Date(`${iso}T00:00:00Z`) : null;
  return time && !Number.isNaN(time.valueOf()) && time.toISOString().startsWith(iso) ? iso : "";
}

const shift = (iso, days) => {
  const time = new Date(`${iso}T00:00:00Z`);
  time.setUTCDate(time.getUTCDate() + days);
  return time.toISOString().slice(0, 10);
};

// @pd>=20260101<=20261231: {from, to}, both days included, either empty.
function dateRange(word, at, end) {
  const [, field, bounds] = /^@([a-z]*)(.*)$/is.exec(word);
  if (field.toLowerCase() !== "pd") throw new Misread(`@${field}: the one date of a disclosure is @pd, its publication.`, at, end);
  const range = { op: "date", from: "", to: "" };
  let rest = bounds;
  while (rest) {
    const [all, sign, day] = /^([<>]=?|=)([\d-]+)/.exec(rest) ?? [];
    const iso = all && isoDay(day);
    if (!all) throw new Misread(`${word}: write a range as @pd>=20260101<=20261231.`, at, end);
    if (!iso) throw new Misread(`${word}: ${day} is no day; write YYYYMMDD.`, at, end);
    const [low, high] = [sign === ">" ? shift(iso, 1) : iso, sign === "<" ? shift(iso, -1) : iso];
    if (sign !== "<" && sign !== "<=" && low > range.from) range.from = low;
    if (sign !== ">" && sign !== ">=" && (!range.to || high < range.to)) range.to = high;
    rest = rest.slice(all.length);
  }
  if (!range.from && !range.to) throw new Misread(`${word}: a range needs a day, as in @pd>=20260101.`, at, end);
  return range;
}

// A leaf for a word or phrase in a field.
function leaf(token) {
  const { text, fields, at, end } = token;
  if (fields?.[0] === "pd") {
    const day = isoDay(text);
    if (!day) throw new Misread(`${text}: no day; write 20260131.pd.`, at, end);
    return { op: "date", from: day, to: day };
  }
  if (fields?.[0] === "pn") {
    const [, digits] = /^(?:[A-Za-z][A-Za-z0-9]*-|\S*#)?(\d{1,15})$/.exec(text) ?? [];
    if (!digits) throw new Misread(`${text}: no number of a disclosure.`, at, end);
    return { op: "number", serial: Number(digits) };
  }
  if (fields?.[0] === "cpc") {
    const symbol = text.toUpperCase().replace(/\s/g, "").replace(/[$*]$/, "");
    if (!/^[A-HY](\d(\d([A-Z](\d{1,4}(\/\d{0,6})?)?)?)?)?$/.test(symbol)) throw new Misread(`${text}: no symbol of the CPC.`, at, end);
    if (symbol.length > 4) throw new Misread(`Disclosures are classified to the subclass: write ${symbol.slice(0, 4)}.cpc.`, at, end);
    return { op: "cpc", symbol };
  }
  const patterns = patternsOf(text, at, end);
  return { op: "words", words: patterns, fields, at, end };
}

const SIGN = "(?=[\\p{L}\\p{N}])[\\u3041-\\u30FF\\u3400-\\u4DBF\\u4E00-\\u9FFF]";
const PATTERN = new RegExp(`${SIGN}|(?:(?!${SIGN})[\\p{L}\\p{N}]|\\u{E000}\\d*\\u{E001}|\\u{E002})+`, "gu");

// The words of a text as patterns. $ stands for any end, $3 for at most three signs, ? for one sign.
function patternsOf(text, at, end) {
  const plain = fold(text.replaceAll("*", "$")).replace(/\$(\d*)/g, (_, digits) => `\u{E000}${digits}\u{E001}`).replaceAll("?", "\u{E002}");
  const words = plain.match(PATTERN) ?? [];
  if (!words.length) throw new Misread(`“${text}” holds no letter and no digit.`, at, end);
  for (const word of words) {
    if (!/[\p{L}\p{N}]/u.test(word.replace(/\u{E000}\d*\u{E001}/gu, ""))) throw new Misread(`“${text}”: $ and ? need a letter beside them.`, at, end);
    if ((word.match(/[\u{E000}\u{E002}]/gu) ?? []).length > LIMITS.wildcards) throw new Misread(`A word can hold ${LIMITS.wildcards} of $ and ?.`, at, end);
  }
  return words.map((word) => word.replace(/\u{E000}(\d*)\u{E001}/gu, "$$$1").replaceAll("\u{E002}", "?"));
}

// {op: "words", ...} of plain words that all have to stand in a text.
export const allOf = (text) => ({ op: "and", args: wordsIn(text).map((word) => ({ op: "words", words: [word], fields: null })) });

const positional = (node) => node.op === "words" || PROXIMITY.includes(node.op) || (node.op === "or" && node.args.every(positional));

function restrict(node, fields, token) {
  if (node.args) return { ...node, args: node.args.map((arg) => restrict(arg, fields, token)) };
  if (node.op !== "words") throw new Misread(`.${fields[0]}. cannot restrict a date, a number or a class.`, token.at, token.end);
  if (!(fields[0] in TEXT_FIELDS)) throw new Misread(`.${fields[0]}. belongs to one value, not to a group.`, token.at, token.end);
  const kept = node.fields ? node.fields.filter((name) => fields.includes(name)) : fields;
  if (!kept.length) throw new Misread(`No word can stand in .${node.fields[0]}. and in .${fields[0]}. at once.`, token.at, token.end);
  return { ...node, fields: kept };
}

function join(left, token, right) {
  if (PROXIMITY.includes(token.op)) {
    if (![left, right].every(positional)) {
      const name = token.op.toUpperCase();
      throw new Misread(`${name} joins words, phrases, and groups of these joined by OR; here one side is something else.`, token.at, token.end);
    }
    return { op: token.op, n: token.n, args: [left, right] };
  }
  if (token.op === "not") return { op: "and", args: [left, { op: "not", args: [right] }] };
  if (token.op !== "xor" && left.op === token.op && !left.closed) return { ...left, args: [...left.args, right] };
  return { op: token.op, args: [left, right] };
}

// The tree of a query. Raises Misread.
export function parse(text) {
  const list = tokens(text);
  let [next, depth, terms] = [0, 0, 0];
  const peek = () => list[next];
  const last = () => list[next - 1] ?? { at: 0, end: text.length };

  function operand() {
    const token = peek();
    if (!token) throw new Misread(last().kind === "operator" ? "Nothing follows this operator." : "The query is empty.", last().at, last().end);
    next += 1;
    if (token.kind === "word" || token.kind === "phrase" || token.kind === "leaf") {
      terms += 1;
      if (terms > LIMITS.terms) throw new Misread(`A query can hold ${LIMITS.terms} words. For a whole text, use “Paste a claim”.`, token.at, text.length);
      return token.leaf ?? leaf(token);
    }
    if (token.kind === "(") return group(token);
    if (token.kind === "operator" && token.op === "not") {
      deeper(token);
      const node = { op: "not", args: [expression(BINDING.not + 1)] };
      depth -= 1;
      return node;
    }
    if (token.kind === "operator") throw new Misread("Nothing stands before this operator.", token.at, token.end);
    throw new Misread(token.kind === ")" ? "This bracket closes nothing." : "This field belongs to nothing.", token.at, token.end);
  }

  function deeper(token) {
    depth += 1;
    if (depth > LIMITS.depth) throw new Misread(`Brackets and NOT can be nested ${LIMITS.depth} deep.`, token.at, text.length);
  }

  function group(open) {
    deeper(open);
    if (peek()?.kind === ")") throw new Misread("These brackets are empty.", open.at, peek().end);
    let node = expression(0);
    if (peek()?.kind !== ")") throw new Misread("This bracket is not closed.", open.at, open.end);
    next += 1;
    depth -= 1;
    if (peek()?.kind === "field") {
      node = restrict(node, peek().fields, peek());
      next += 1;
    }
    return node.args ? { ...node, closed: true } : node;
  }

  function expression(least) {
    let left = operand();
    for (;;) {
      const token = peek();
      if (!token || token.kind === ")") return left;
      // Two terms side by side: both have to occur.
      const explicit = token.kind === "operator";
      const operator = explicit ? token : { op: "and", at: token.at, end: token.end };
      if (BINDING[operator.op] < least || (!explicit && BINDING.and < least)) return left;
      if (explicit) next += 1;
      if (operator.op === "not" && peek()?.kind === "operator" && PROXIMITY.includes(peek().op)) {
        throw new Misread(`NOT ${peek().op.toUpperCase()} is not read here; write: a NOT (a ${peek().op.toUpperCase()} b).`, token.at, peek().end);
      }
      left = join(left, operator, expression(BINDING[operator.op] + 1));
    }
  }

  const tree = expression(0);
  if (peek()) throw new Misread("This bracket closes nothing.", peek().at, peek().end);
  return tree;
}

// How a tree was read, for the reader: every operator and bracket written out.
export function describe(node) {
  if (node.op === "words") {
    const text = node.words.length > 1 ? `"${node.words.join(" ")}"` : node.words[0];
    return node.fields ? `${text}.${node.fields.join(",")}.` : text;
  }
  if (node.op === "date") return `@pd${node.from && `>=${node.from.replaceAll("-", "")}`}${node.to && `<=${node.to.replaceAll("-", "")}`}`;
  if (node.op === "cpc") return `${node.symbol}.cpc.`;
  if (node.op === "number") return `${node.serial}.pn.`;
  const inner = node.args.map((arg) => (arg.args && arg.op !== "not" ? `(${describe(arg)})` : describe(arg)));
  return node.op === "not" ? `NOT ${inner[0]}` : inner.join(` ${node.op.toUpperCase()}${node.n > 1 ? node.n : ""} `);
}

// A pattern as an expression for whole words.
export function matcher(pattern) {
  const body = pattern.replace(/\$(\d*)/g, (_, n) => (n ? `.{0,${n}}` : ".*")).replaceAll("?", ".");
  return new RegExp(`^${body}$`, "u");
}
export const isPattern = (word) => /[$?]/.test(word);
