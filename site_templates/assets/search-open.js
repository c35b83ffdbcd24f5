// Opening what a text names: a disclosure by number or hash. A name that leads nowhere is said, never searched as words.

import { base, hashes, loadCatalogue, numbers } from "./search-index.js";

export const VOLUME = 8192;
export const addressOf = (serial, site = base) => new URL(`d/${Math.floor(serial / VOLUME)}/${serial}.html`, site).href;
export const displayed = (serial, prefix) => `${prefix}-${String(serial).padStart(7, "0")}`;

// Goes to the page of a number. Raises Error when no disclosure has it.
export async function openNumber(serial, prefix) {
  const { volumes } = await loadCatalogue();
  const entry = volumes.find(({ volume }) => volume === Math.floor(serial / VOLUME));
  if (!entry || !(await numbers(entry)).includes(serial)) {
    const last = volumes.length ? displayed(volumes[0].last, prefix) : "none";
    throw new Error(`No disclosure has the number ${displayed(serial, prefix)}. The newest is ${last}.`);
  }
  window.location.replace(addressOf(serial));
}

// The numbers of the records whose SHA-256 begins with some digits.
export async function numbersOfHash(digits) {
  const { volumes } = await loadCatalogue();
  const found = [];
  for (const entry of volumes) {
    for (const [start, serial] of await hashes(entry)) {
      if (digits.startsWith(start) || start.startsWith(digits)) found.push(serial);
    }
  }
  if (digits.length <= 16) return found;
  const held = await Promise.all(found.map(holdsHash(digits)));
  return found.filter((_, n) => held[n]);
}

const holdsHash = (digits) => async (serial) => {
  const data = await (await fetch(addressOf(serial).replace(/html$/, "json"))).arrayBuffer();
  const sum = new Uint8Array(await crypto.subtle.digest("SHA-256", data));
  return Array.from(sum, (byte) => byte.toString(16).padStart(2, "0")).join("").startsWith(digits);
};
