// Keeps a device's page moving: asks for what arrived since the last answer, every two seconds.

import { Chart } from "./chart.js";
import { showCommands } from "./commands.js";
import { localTime } from "./ui.js";
import { said } from "./words.js";

const EVERY_MS = 2000;
const MAX_POINTS = 600;
const MAX_ROWS = 60;
const MAX_CHARTS = 6;
const SILENT_AFTER_S = 15;

const box = document.getElementById("live");
const note = document.getElementById("live-note");
const announced = document.getElementById("live-state");
const rows = document.getElementById("rows");
const values = document.getElementById("values");
const charts = document.getElementById("charts");
const series = new Map();
let after = 0;
let clockAhead = 0;
let lastSeen = null;
let disconnected = false;

function plain(point) {
  if (typeof point.value === "boolean") return point.value ? "yes" : "no";
  return typeof point.value === "number" ? String(Number(point.value.toPrecision(6))) : point.value;
}

function chartOf(point) {
  if (!series.has(point.name) && series.size < MAX_CHARTS) {
    series.set(point.name, { chart: new Chart(charts, point), points: [] });
  }
  return series.get(point.name);
}

function addToCharts(points) {
  const touched = new Set();
  for (const point of points) {
    if (typeof point.value !== "number") continue;
    const line = chartOf(point);
    if (!line) continue;
    line.points.push(point);
    touched.add(line);
  }
  for (const line of touched) {
    line.points = line.points.slice(-MAX_POINTS);
    line.chart.show(line.points);
  }
}

function addToValues(points) {
  const newest = new Map(points.map((point) => [point.label, point]));
  for (const [label, point] of newest) {
    let tile = [...values.children].find((child) => child.querySelector("dt").textContent === label);
    if (!tile) {
      tile = document.createElement("div");
      tile.className = "value";
      tile.append(document.createElement("dt"), document.createElement("dd"));
      tile.firstChild.textContent = label;
      values.append(tile);
    }
    const unit = document.createElement("small");
    unit.textContent = point.unit;
    tile.lastChild.replaceChildren(`${plain(point)} `, unit);
  }
}

function cell(name, text, label) {
  const element = document.createElement(name);
  if (label) element.dataset.label = label;
  element.textContent = text;
  return element;
}

function addToTable(points) {
  for (const point of points.slice(-MAX_ROWS)) {
    const row = document.createElement("tr");
    const time = document.createElement("time");
    time.dateTime = new Date(point.time_us / 1000).toISOString();
    localTime(time);
    const head = document.createElement("th");
    head.scope = "row";
    head.append(time);
    row.append(head, cell("td", point.label, said("Reading")), cell("td", `${plain(point)} ${point.unit}`.trim(), said("Value")));
    rows.prepend(row);
  }
  while (rows.children.length > MAX_ROWS) rows.lastChild.remove();
}

function span(seconds) {
  if (seconds < 90) return `${seconds} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return seconds < 172800 ? `${Math.round(seconds / 3600)} h` : said("{} days", Math.round(seconds / 86400));
}

// The sentence moves every second; the live region beside it speaks only when the state changes.
function say(text, spoken) {
  if (!note) return;
  note.textContent = text;
  if (spoken && announced.textContent !== spoken) announced.textContent = spoken;
}

// A device that reports every minute is not silent after twenty seconds.
function patience() {
  const times = [...series.values()].flatMap((line) => line.points.slice(-20)).map((point) => point.time_us);
  const distinct = [...new Set(times)].sort((one, other) => one - other);
  const usual = distinct.length > 2 ? (distinct.at(-1) - distinct[0]) / (distinct.length - 1) / 1e6 : 0;
  return Math.max(SILENT_AFTER_S, usual * 3);
}

function sayHowFresh() {
  if (lastSeen === null || disconnected) return;
  const seconds = Math.max(0, Math.floor((Date.now() + clockAhead - lastSeen / 1000) / 1000));
  document.getElementById("last-seen").textContent = seconds < 2 ? said("just now") : said("{} ago", span(seconds));
  if (seconds < patience()) say(said("Live: new readings appear by themselves."), said("Readings arrive."));
  else say(said("Last reading {} ago.", span(seconds)), said("Readings stopped arriving."));
}

function take(answer, first) {
  clockAhead = answer.now_us / 1000 - Date.now();
  lastSeen = answer.last_seen_us;
  after = answer.next_after_us;
  const badge = document.createElement("span");
  badge.className = `badge ${answer.status.tone}`;
  badge.textContent = answer.status.word;
  document.getElementById("status").replaceChildren(badge);
  const revocation = document.getElementById("revocation");
  if (revocation && answer.revocation && !first && revocation.textContent !== answer.revocation) revocation.textContent = answer.revocation;
  addToCharts(answer.points);
  if (!first) showCommands(answer.commands);
  if (!answer.points.length || first) return;
  document.getElementById("no-readings")?.remove();
  document.getElementById("table").hidden = false;
  addToValues(answer.points);
  addToTable(answer.points);
}

async function poll() {
  try {
    const response = await fetch(`${box.dataset.url}?after_us=${after}`, { headers: { Accept: "application/json" } });
    if (response.status === 404 || response.redirected) {
      disconnected = true;
      say(said("This page can’t be kept up to date any more. Please reload it."), said("Please reload this page."));
      return;
    }
    if (!response.ok) throw new Error(String(response.status));
    disconnected = false;
    take(await response.json(), false);
    sayHowFresh();
  } catch {
    disconnected = true;
    say(said("No connection to the portal. It tries again by itself."), said("No connection to the portal."));
  }
  setTimeout(poll, EVERY_MS);
}

take(JSON.parse(document.getElementById("live-data").textContent), true);
sayHowFresh();
setInterval(sayHowFresh, 1000);
setTimeout(poll, EVERY_MS);
