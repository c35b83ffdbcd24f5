// "/" goes to the search box of the page, unless the reader is typing.
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
