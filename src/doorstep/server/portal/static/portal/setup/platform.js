// The platform's side: a registration token, the device behind a serial, and whether the device has come.

import { fromBase64url, toBase64url, utf8 } from "../../onboarding/bytes.js";
import { spokenCode } from "../../onboarding/spoken.js";
import { REFUSALS } from "./refusals.js";
import { ToldProblem, at, told } from "./view.js";
import { said } from "./words.js";

const EVERY_MS = 1500;
/** A token with less left than this is not handed over. */
const SPARE_MS = 120_000;
const csrf = document.querySelector("[name=csrfmiddlewaretoken]").value;

async function ask(url, options = {}) {
  const headers = { Accept: "application/json", "X-CSRFToken": csrf, ...options.headers };
  let response;
  try {
    response = await fetch(url, { ...options, headers });
  } catch {
    throw new ToldProblem(said("The portal does not answer."), said("Check this phone’s or computer’s own internet, and try again."));
  }
  if (response.redirected) throw new ToldProblem(said("You are logged out."), said("Reload this page and log in."));
  const answer = await response.json().catch(() => ({}));
  if (response.ok) return answer;
  const kind = (answer.type ?? "").split("/").at(-1);
  throw Object.assign(problemOf(kind, response.status, answer), { kind, status: response.status });
}

/** In the page's language where the kind says it all; else in the platform's own words, which are English. */
function problemOf(kind, status, { detail = "", next_step: nextStep = "" }) {
  if (Object.hasOwn(REFUSALS, kind)) return new ToldProblem(...REFUSALS[kind]);
  if (!detail) return new ToldProblem(said("The portal answered {}.", status), said("Try again later."));
  const sentence = `${detail.charAt(0).toUpperCase()}${detail.slice(1).replace(/\.$/, "")}.`;
  return Object.assign(new ToldProblem(sentence, nextStep), { language: "en" });
}

/** A registration order and the number to ask for what became of it. */
export class Registration {
  #wish = "";
  #token = null;
  #order = null;

  /** @param {string} prefix of the ids of the inputs about the device */
  constructor(prefix) {
    this.prefix = prefix;
  }

  get alias() {
    return at(`${this.prefix}-alias`).value.trim();
  }

  /** Have a scratch-off code refused while its field is in sight. */
  async checkCode() {
    if (this.#asked().code) await this.order();
  }

  /**
   * An order with a token that lasts long enough, for what is typed now; makes a new token where it must.
   * @returns {Promise<import("../../onboarding/protocomm.js").Order & {expires: number}>} expires in seconds since 1970
   */
  async order() {
    const wish = this.#asked();
    const isOld = this.#token === null || this.#token.expires_us / 1000 - Date.now() < SPARE_MS;
    if (isOld || this.#wish !== JSON.stringify(wish)) {
      this.#token = await this.#make(wish);
      this.#wish = JSON.stringify(wish);
      this.#order = { token: utf8(this.#token.token), server: told.server, alias: this.alias, expires: Math.floor(this.#token.expires_us / 1e6) };
    }
    return this.#order;
  }

  /** Make a new token for the next order: the platform has turned this one down. */
  discard() {
    this.#token = null;
  }

  /** What the platform knows of it: waiting, bound, held or expired. Null while the portal is out of reach. */
  async state() {
    try {
      return await ask(told.state.replace("/0/", `/${this.#token.number}/`));
    } catch {
      return null; // this phone may be on the device's own Wi-Fi; silence is no answer
    }
  }

  #asked() {
    return { alias: this.alias, code: spokenCode(at(`${this.prefix}-claim`).value) };
  }

  async #make(wish) {
    try {
      return await post(told.tokens, wish);
    } catch (error) {
      if (wish.code && (error.kind === "code-refused" || error.kind === "malformed")) error.field = `${this.prefix}-claim`;
      throw error;
    }
  }
}

/** The device behind a serial, if the caller may set it up. @param {string} serial */
export async function lookUp(serial) {
  try {
    const found = await ask(`${told.lookup}?${new URLSearchParams({ serial })}`);
    return { deviceId: found.device_id, name: `${found.product} ${found.serial}`, isYours: found.owner === "yours", publicKey: fromBase64url(found.public_key) };
  } catch (error) {
    if (error.status === 404) error.field = "serial";
    throw error;
  }
}

function post(url, value = {}) {
  return ask(url, { method: "POST", body: JSON.stringify(value), headers: { "Content-Type": "application/json" } });
}

/** What a device is to sign. @returns {Promise<Uint8Array>} */
export async function makeChallenge() {
  return fromBase64url((await post(told.challenges)).challenge);
}

/** What the platform knows of the device that signed. @param {import("../../onboarding/attestation.js").Attestation} attestation */
export async function relayAttestation({ statement, transcript }) {
  const found = await post(told.attestations, { statement: toBase64url(statement), transcript: toBase64url(transcript) });
  return {
    deviceId: found.device_id, name: `${found.product} ${found.serial}`, sentence: said(found.sentence), risk: said(found.risk),
    isYours: found.owner === "yours", presence: found.presence, mayBeSetUp: found.may_set_up, setupCode: found.setup_code,
    publicKey: found.public_key === null ? null : fromBase64url(found.public_key),
  };
}

/** The owner's word that a device of theirs may be set up again; null for one that nobody owns. @returns {Promise<Uint8Array | null>} */
export async function releaseOf({ deviceId, isYours }) {
  if (!isYours) return null;
  return fromBase64url((await post(told.release.replace("/0/", `/${deviceId}/`))).release);
}

/** Rows of a QR code. @param {string} text @returns {Promise<string[]>} */
export async function qrRows(text) {
  return (await ask(told.qr, { method: "POST", body: text, headers: { "Content-Type": "text/plain" } })).rows;
}

/** Wait until the platform has judged; calls `heard` with each answer. */
export async function watch(registration, heard) {
  for (;;) {
    const answer = await registration.state();
    if (heard(answer)) return answer;
    await new Promise((resolve) => { setTimeout(resolve, EVERY_MS); });
  }
}
