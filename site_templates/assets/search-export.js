// Hits as CSV (RFC 4180), RIS and CSL-JSON. Pure functions on [{id, title, day, cpc, url}] and what was asked.

// A cell that a spreadsheet would take as a formula begins with an apostrophe instead.
function cell(value) {
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

export function csv(rows) {
  const lines = [["number", "title", "published", "cpc", "address"], ...rows.map((row) => [row.id, row.title, row.day, row.cpc, row.url])];
  return lines.map((line) => `${line.map(cell).join(",")}\r\n`).join("");
}

const line = (text) => text.replace(/\s+/g, " ").trim();

export function ris(rows, publisher, today) {
  return rows.map((row) => [
    ["TY", "RPRT"], ["AU", publisher], ["TI", row.title],
    ...(row.day ? [["PY", row.day.slice(0, 4)], ["DA", row.day.replaceAll("-", "/")]] : []),
    ["PB", publisher], ["M3", "Disclosure"], ["SN", row.id], ["UR", row.url], ["Y2", today.replaceAll("-", "/")],
    ["N1", row.day ? `Published ${row.day}. Machine-generated.` : "Not yet published. Machine-generated."],
  ].map(([tag, value]) => `${tag}  - ${line(value)}\r\n`).join("").concat("ER  - \r\n")).join("\r\n");
}

const parts = (day) => ({ "date-parts": [day.split("-").map(Number)] });

export function cslJson(rows, publisher, today) {
  return `${JSON.stringify(rows.map((row) => ({
    id: row.id, type: "report", genre: "Disclosure", title: line(row.title), author: [{ literal: publisher }], publisher,
    number: row.id, URL: row.url, ...(row.day ? { issued: parts(row.day) } : {}), accessed: parts(today),
  })), null, 2)}\n`;
}

// Hands a text to the browser as a file. It is made here; no server sees it.
export function save(text, name, type) {
  const address = URL.createObjectURL(new Blob([text], { type: `${type};charset=utf-8` }));
  const anchor = Object.assign(document.createElement("a"), { href: address, download: name });
  document.body.append(anchor);
  anchor.click();
  anchor.remove();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
