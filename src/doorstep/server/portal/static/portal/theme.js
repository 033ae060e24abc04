// Runs before the first paint: marks that scripts work, and applies the reader's choice of colours.
(() => {
  const root = document.documentElement;
  root.classList.add("js");
  let choice = null;
  try { choice = localStorage.getItem("doorstep-theme"); } catch { /* storage may be forbidden; the system decides */ }
  if (choice === "light" || choice === "dark") root.dataset.theme = choice;
})();
