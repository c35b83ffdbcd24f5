// The page for addresses that do not exist: a number of a disclosure in the address is resolved, and a box takes one.

import { numberOf } from "./search-number.js";
import { openNumber } from "./search-open.js";

const page = document.getElementById("lost");
const say = (text) => (page.querySelector("[data-lost]").textContent = text);
const { prefix, origin } = page.dataset;

const part = decodeURIComponent(window.location.pathname.split("/").filter(Boolean).at(-1) ?? "").replace(/\.html?$/, "");
const short = /\/n\/(\d{1,15})\/?$/.exec(window.location.pathname);
const serial = short ? Number(short[1]) : numberOf(part, prefix, origin);
if (serial !== null) openNumber(serial, prefix).catch((error) => say(error.message));
