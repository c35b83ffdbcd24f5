// Words as the program reads them: the rules of generator/base/words.py with its table of folds. A test compares both.

import { FOLDS } from "./search-folds.js";

const SIGN = "[\\u3041-\\u30ff\\u3400-\\u4dbf\\u4e00-\\u9fff]"; // of Chinese and Japanese: a word each
const WORD = new RegExp(`(?=[\\p{L}\\p{N}])${SIGN}|(?:(?!${SIGN})[\\p{L}\\p{N}])+`, "gu");
const OWNER = /'(?:s(?![\p{L}\p{N}]))?/gu;

function foldSign(sign) {
  if (sign in FOLDS) return FOLDS[sign];
  const plain = sign.normalize("NFKD").toLowerCase().replace(/\p{M}/gu, "");
  return [...plain].map((one) => FOLDS[one] ?? one).join("");
}

// A text in one spelling: lower case, no accents, ligatures and sub- and superscripts written out, one hyphen.
export const foldSigns = (text) => Array.from(text, foldSign).join("");

// The same without apostrophes and the endings of owners.
export const fold = (text) => foldSigns(text).replace(OWNER, "");

// The folded words of a text: of "snap-fit" its parts, of "the user's" the owner without the ending.
export const wordsIn = (text) => fold(text).match(WORD) ?? [];
