// Keeps charts of the last hour or day moving: takes the page again and swaps the drawings.

import { localTimes } from "./ui.js";

const EVERY_MS = { hour: 5_000, day: 30_000 };
const charts = document.getElementById("charts");
const wait = EVERY_MS[charts.dataset.span];

async function refresh() {
  try {
    const response = document.hidden ? null : await fetch(location.href, { headers: { Accept: "text/html" } });
    if (response?.redirected || response?.status === 404) return;
    if (response?.ok) {
      const page = new DOMParser().parseFromString(await response.text(), "text/html");
      const fresh = page.getElementById("charts");
      localTimes(fresh);
      if (!charts.contains(document.activeElement)) charts.replaceChildren(...fresh.children);
    }
  } catch { /* no connection: the drawings stay, the next turn tries again */ }
  setTimeout(refresh, wait);
}

if (wait) setTimeout(refresh, wait);
