// The searches of this browser, kept in it and nowhere else, and their export as search notes.

const KEY = "press-searches";
const MOST = 1000;
let here = [];
let kept = true;

// [{time, q, address, scope, hits}], newest last. What another page or a hand broke is left out.
export function readHistory() {
  if (!kept) return here;
  try {
    const value = JSON.parse(window.localStorage.getItem(KEY) ?? "[]");
    const good = Array.isArray(value) ? value.filter((row) => typeof row?.q === "string" && typeof row.time === "string" && typeof row.address === "string") : [];
    return good.slice(-MOST);
  } catch (error) {
    if (error instanceof SyntaxError) return [];
    kept = false;
    return here;
  }
}

function write(rows) {
  here = rows.slice(-MOST);
  try {
    window.localStorage.setItem(KEY, JSON.stringify(here));
    kept = true;
  } catch {
    kept = false; // storage is refused or full: the history ends with this page
  }
}

export function remember(row) {
  const rows = readHistory();
  if (rows.at(-1)?.address === row.address && rows.at(-1)?.hits === row.hits) return;
  write([...rows, row]);
}
export const forget = () => write([]);
export const isKept = () => kept;

const cell = (text) => String(text ?? "").replace(/\s+/g, " ").trim();

// Search notes as an examiner files them: what was searched where, how many hits, when; one search a line.
export function notes(rows, title, now) {
  const lines = rows.map((row, n) => [`S${n + 1}`, row.hits, row.q, row.scope, row.time, row.address].map(cell).join("\t"));
  return [
    `Search notes: ${title}`,
    `Exported ${now}. Times are UTC.`,
    "",
    ["Ref", "Hits", "Search query", "Scope", "Time stamp", "Address"].join("\t"),
    ...lines,
    "",
  ].join("\r\n");
}
