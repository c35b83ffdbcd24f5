// On every page: "/" goes to the search box, unless the reader is typing; a search form opens the search page with its
// words behind "#", so that no server sees them.
"use strict";
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (event.target.closest?.("input, textarea, select, [contenteditable]")) return;
  const box = document.querySelector("#search-q, #press-q");
  if (!box) return;
  event.preventDefault();
  box.focus();
  box.select();
});
for (const form of document.querySelectorAll("form.press-search")) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const words = form.querySelector('input[type="search"]').value.trim();
    const address = new URL(form.action);
    address.hash = words ? new URLSearchParams({ q: words }).toString() : "";
    window.location.assign(address);
  });
}
