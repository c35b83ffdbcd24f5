// Words as the search compares them. generator/site/word_lists.py makes the index's vocabulary by the same rules, and a
// test holds the two together: compatibility forms are folded (H₂O is H2O, ﬁ is fi, ² is 2), accents and capitals go,
// ß is ss and ø is o, a possessive ending goes, a dash or any other sign parts two words, and in Chinese and Japanese
// every sign is a word.

const WORD = /(?=[\p{L}\p{N}])[\u3041-\u30FF\u3400-\u4DBF\u4E00-\u9FFF]|(?:(?![\u3041-\u30FF\u3400-\u4DBF\u4E00-\u9FFF])[\p{L}\p{N}])+/gu;
const POSSESSIVE = /['’ʼ](?:s(?![\p{L}\p{N}]))?/giu;
const LETTERS = { ß: "ss", ø: "o", æ: "ae", œ: "oe", đ: "d", ł: "l", þ: "th", ð: "d", ı: "i" };

export const fold = (text) =>
  text.replace(POSSESSIVE, "").normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase().replace(/[ßøæœđłþðı]/g, (letter) => LETTERS[letter]);
export const wordsIn = (text) => fold(text).match(WORD) ?? [];
