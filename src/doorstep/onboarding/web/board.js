// The board's own page on an air that nobody encrypts: the code is proven, what is sent is sealed, and the words
// are those that the page brought in its language.

import { shown, utf8 } from "./bytes.js";
import * as crypto from "./crypto_plain.js";
import { SetupFailure } from "./failures.js";
import { httpLink } from "./http.js";
import { Configurator } from "./protocomm.js";
import { spokenCode } from "./spoken.js";

const ENTERPRISE = 5;
const STRONG = -60;
const MEDIUM = -75;
const POLL_MS = 1000;
const PATIENCE_MS = 120_000;
const UNDECIDED = ["waiting", "trying", "registering"];
const NOT_JOINED = ["wrong-password", "no-such-network", "no-address", "radio-failed"];
/** The device is on a network that may not be the right one; the other two are the end. */
const ONLINE = ["connected", "no-internet", "no-server", "wrong-clock", "refused"];
const CAN_GO = ["connected", "registered", "held"];

const ready = document.getElementById("ready");
const codeForm = document.getElementById("code-form");
const networkForm = document.getElementById("network-form");
const list = document.getElementById("networks");
const where = document.getElementById("where");
const go = document.getElementById("go");
const again = document.getElementById("again");
const status = document.getElementById("say");
let board = null;
/** The step that the last attempt came to. */
let last = "";
let ordered = false;

/** The page's own sentence. @param {string} key @param {number} [seconds] @returns {string} */
function said(key, seconds = 0) {
  const found = document.querySelector(`#words [data-key="${key}"]`) ?? document.querySelector('#words [data-key="lost"]');
  return found.textContent.replace("{seconds}", String(seconds));
}

/** @param {string} sentence @param {boolean} [bad] */
function say(sentence, bad = false) {
  status.textContent = sentence;
  status.className = bad ? "bad" : "note";
  status.hidden = false;
}

/** @param {number} rssi @returns {string} */
function strength(rssi) {
  if (rssi >= STRONG) return said("strong");
  return said(rssi >= MEDIUM ? "medium" : "weak");
}

/** @param {import("./protocomm.js").ScanEntry} entry @param {string} value @returns {HTMLElement} */
function row(entry, value) {
  const label = document.getElementById("row").content.firstElementChild.cloneNode(true);
  const radio = label.querySelector("input");
  radio.value = value;
  radio.disabled = entry.auth === ENTERPRISE;
  const security = said(["open", "secured"][Math.min(entry.auth, 1)]);
  label.querySelector("b").textContent = shown(entry.ssid);
  label.querySelector("small").textContent = `${said("signal")} ${strength(entry.rssi)}, ${radio.disabled ? said("company") : security}`;
  return label;
}

/** @param {import("./protocomm.js").ScanEntry[]} entries */
function showNetworks(entries) {
  const names = new Map();
  for (const entry of entries) {
    const key = entry.ssid.join();
    if (entry.ssid.length && !names.has(key)) names.set(key, entry);
  }
  list.replaceChildren(...[...names].slice(0, 20).map(([key, entry]) => row(entry, key)));
}

/** What a form's fields hold as octets. @param {HTMLFormElement} form @returns {{ssid: Uint8Array, passphrase: Uint8Array}} */
function chosen(form) {
  const fields = new FormData(form);
  const name = utf8(fields.get("name"));
  const heard = fields.get("ssid");
  const ssid = name.length || !heard ? name : Uint8Array.from(heard.split(",").map(Number));
  if (!ssid.length) throw new SetupFailure("no-choice");
  return { ssid, passphrase: utf8(fields.get("password")) };
}

/** @param {HTMLFormElement} form @param {() => Promise<void>} work */
async function guarded(form, work) {
  const buttons = form.querySelectorAll("button");
  for (const button of buttons) button.disabled = true;
  try {
    await work();
  } catch (error) {
    // A step has that name too: the platform's refusal, not the device's.
    const key = error.key === "refused" ? "not-taken" : error.key;
    say(error instanceof SetupFailure ? said(key, error.wait) : said("lost"), true);
  } finally {
    for (const button of buttons) button.disabled = false;
  }
}

async function secure() {
  const pop = spokenCode(new FormData(codeForm).get("code")).toLowerCase().replaceAll("-", "");
  const label = { name: "", username: ready.dataset.username, pop, transport: "softap", security: 2, password: "" };
  say(said("checking-code"));
  board = new Configurator(label, httpLink(), crypto);
  await board.find();
  await board.secure();
  say(said("secured-now"));
  showNetworks(await board.networks());
  say(said("networks"));
  codeForm.hidden = true;
  networkForm.hidden = false;
  networkForm.querySelector("input").focus();
}

async function deliver() {
  const fields = new FormData(networkForm);
  const token = fields.get("token").trim();
  if (token) await board.deliver({ token: utf8(token), server: fields.get("server").trim(), alias: "" });
  ordered ||= Boolean(token);
}

/** Ask until the device knows; a session lost on the way is opened again with the same code. @param {string} step @returns {Promise<string>} */
async function follow(step) {
  const until = Date.now() + PATIENCE_MS;
  const undecided = ordered ? [...UNDECIDED, "connected"] : UNDECIDED;
  while (undecided.includes(step) && Date.now() < until) {
    say(said(step));
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    try {
      if (!board.secured) await board.secure();
      step = await board.progress();
    } catch (error) {
      if (!(error instanceof SetupFailure) || error.key !== "lost") throw error;
    }
  }
  return undecided.includes(step) ? "checking" : step;
}

async function join() {
  const network = chosen(networkForm);
  if (NOT_JOINED.includes(last)) await board.reset();
  if (ONLINE.includes(last)) await board.reprovision();
  last = "";
  await deliver();
  await board.putForward(network);
  return "trying";
}

/** Another order for a device that stays where it is. */
async function registerAgain() {
  await deliver();
  return "registering";
}

async function connect() {
  if (!board.secured) await board.secure();
  last = await follow(await (where.hidden ? registerAgain() : join()));
  show(last);
}

/** Say how it ended, and leave what is left to do. @param {string} step */
function show(step) {
  const refused = step === "refused";
  const failed = refused || NOT_JOINED.includes(step);
  say(CAN_GO.includes(step) ? `${said(step)} ${said("back-home")}` : said(step), failed);
  networkForm.hidden = !failed;
  again.hidden = !ONLINE.includes(step);
  ask({ again: refused });
  if (failed) networkForm.elements.namedItem(refused ? "token" : "password").focus();
}

/** Ask for everything, or `again` for a token alone: the device is on its network. @param {{again: boolean}} what */
function ask({ again: onlyToken }) {
  where.hidden = onlyToken;
  go.textContent = said(onlyToken ? "send-token" : "connect");
  networkForm.querySelector("details").open ||= onlyToken;
}

codeForm.addEventListener("submit", (event) => {
  event.preventDefault();
  guarded(codeForm, secure);
});
networkForm.addEventListener("submit", (event) => {
  event.preventDefault();
  guarded(networkForm, connect);
});
again.addEventListener("click", () => {
  again.hidden = true;
  networkForm.hidden = false;
  ask({ again: false });
  networkForm.querySelector("input").focus();
});
document.getElementById("reveal").addEventListener("change", (event) => {
  networkForm.elements.namedItem("password").type = event.target.checked ? "text" : "password";
});
document.getElementById("secure").hidden = true;
ready.hidden = false;
