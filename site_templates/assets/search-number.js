// Names of a disclosure as people hold them: its number, its address in the log, its hash. Pure functions.

// The number that a text names: PAP-0000003, 0000003, origin#3; null when it names none. A number alone needs the
// zeros in front, or it is a word to search for. `prefix` is the publication's, "PAP"; another one names another publication.
export function numberOf(text, prefix, origin = "") {
  const bare = text.trim();
  const [, letters, digits] = /^(?:([A-Za-z][A-Za-z0-9]*)-)?(\d{1,15})$/.exec(bare) ?? [];
  if (digits && letters?.toUpperCase() === prefix.toUpperCase()) return Number(digits);
  if (digits && !letters && (/^0\d/.test(digits) || digits.length === 7)) return Number(digits);
  const [, log, index] = /^(\S+)#(0|[1-9]\d{0,14})$/.exec(bare) ?? [];
  return log && origin && log === origin ? Number(index) : null;
}

// The digits of a SHA-256, at least eight of them, one a decimal digit: "deadbeef" is a word.
export function hashOf(text) {
  const [, digits] = /^(?:sha256:)?([0-9a-f]{8,64})$/i.exec(text.trim()) ?? [];
  return digits && /\d/.test(digits) && /[a-f]|.{16}/i.test(digits) ? digits.toLowerCase() : null;
}

// The CPC symbol that a text is, of any depth, with the part by which disclosures are classified.
export function symbolOf(text) {
  const [, group, depth] = /^([A-HY]\d\d[A-Z]?)(\s*\d{1,4}(?:\/\d{2,6})?)?$/i.exec(text.trim()) ?? [];
  if (!group || (depth && group.length < 4)) return null;
  return { symbol: group.toUpperCase(), exact: !depth };
}
