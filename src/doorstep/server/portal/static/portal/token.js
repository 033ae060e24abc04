// Counts a registration token down and says when the device has come.

import { said } from "./words.js";

const EVERY_MS = 2000;
const card = document.getElementById("progress");
const text = document.getElementById("progress-text");
const bar = document.getElementById("progress-bar");
const left = document.getElementById("progress-left");
const link = document.getElementById("progress-link");
let ends = Date.now() + Number(card.dataset.lifetime) * 1000;
let over = false;

function clock() {
  const seconds = Math.max(0, Math.round((ends - Date.now()) / 1000));
  bar.value = seconds;
  left.textContent = said("{} left", `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`);
  if (!over) setTimeout(clock, 1000);
}

function finish(answer) {
  over = true;
  document.getElementById("countdown").hidden = true;
  document.getElementById("progress-look").hidden = answer.state === "bound";
  if (answer.url) {
    link.href = answer.url;
    link.hidden = false;
  }
  card.classList.add("finished");
}

async function poll() {
  try {
    const response = await fetch(card.dataset.url, { headers: { Accept: "application/json" } });
    if (!response.ok) throw new Error(String(response.status));
    const answer = await response.json();
    ends = Date.now() + answer.left_s * 1000;
    if (text.textContent !== answer.text) text.textContent = answer.text;
    if (answer.state !== "waiting") { finish(answer); return; }
  } catch {
    text.textContent = said("No connection to the portal. It tries again by itself.");
  }
  setTimeout(poll, EVERY_MS);
}

clock();
setTimeout(poll, EVERY_MS);
