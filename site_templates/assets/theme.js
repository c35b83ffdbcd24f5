/* Before the first paint: the reader's choice of light or dark, if there is one. */
"use strict";
document.documentElement.classList.replace("no-js", "js");
try {
  const theme = localStorage.getItem("press-theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch { /* storage is off: the system's choice holds */ }
