// Onboards one device by its label: what `doorstep.onboarding.protocomm.configurator` does, in a browser.
// The link is an argument; any exchange that goes wrong leaves no session behind.

import { concat, fromUtf8, utf8 } from "./bytes.js";
import { SetupFailure, malformed } from "./failures.js";
import { parse, putMessage, putOctets, putUint } from "./protobuf.js";
import { MAX_MESSAGE, handshake } from "./sec2.js";

/** @typedef {import("./crypto_webcrypto.js").Crypto} Crypto */
/** @typedef {import("./label.js").Label} Label */
/** @typedef {import("./protobuf.js").Fields} Fields */
/** @typedef {import("./sec2.js").Ask} Ask */
/** @typedef {{ssid: Uint8Array, channel: number, rssi: number, bssid: Uint8Array, auth: number}} ScanEntry */
/** @typedef {{ssid: Uint8Array, passphrase: Uint8Array}} Network octets both */
/** @typedef {{token: Uint8Array, server: string, alias: string}} Order */
/** @typedef {{security: number | null, patch: number, caps: string[], own: string[] | null}} Capabilities `own` is what our own endpoint offers */

const FIRST_BODY = 10;
const LAST_BODY = 21;
const LAST_STATUS = 7;
const MAX_ENTRIES = 64;
const MAX_SSID = 32;
const BSSID_SIZE = 6;
/** Networks asked for at a time: so many fit into one reply of HTTP with room to spare. */
const PAGE = 16;
const GROUP_CHANNELS = 5;
const PERIOD_MS = 120;
const MAX_DEVICE_ID = 128;
const OWN = "doorstep";
const HEX_KEY = /^[0-9a-f]{64}$/i;

/** The device's own account of itself, by its number on the wire; the words for customers have these names. */
export const STAGES = [
  "waiting", "trying", "wrong-password", "no-such-network", "no-address", "no-internet", "no-server", "connected",
  "registering", "registered", "held", "refused", "wrong-clock", "radio-failed",
];

const STATION_STATES = ["connected", "trying", "no-address"];
const STATION_FAILURES = ["wrong-password", "no-such-network"];

/** @param {number} msg @param {Uint8Array} [body] @returns {Uint8Array} */
function encode(msg, body = new Uint8Array()) {
  return concat(putUint(1, msg), putMessage(FIRST_BODY + msg, body));
}

/** The body of the answer to `msg`. @param {Uint8Array} data @param {number} msg @returns {{status: number, body: Fields | null}} */
function decode(data, msg) {
  const fields = parse(data, MAX_MESSAGE);
  if (fields.uint(1) !== msg) throw malformed("the device answers another question");
  for (let number = FIRST_BODY; number <= LAST_BODY; number += 1) {
    if (fields.has(number) && number !== FIRST_BODY + msg) throw malformed("an answer carries another's body");
  }
  const status = fields.uint(2, LAST_STATUS);
  return { status, body: fields.has(FIRST_BODY + msg) ? fields.message(FIRST_BODY + msg) : null };
}

/** @param {Fields | null} body @returns {Fields} */
function needed(body) {
  if (body === null) throw malformed("an answer lacks its body");
  return body;
}

/** @param {number} status @param {string} what */
function check(status, what) {
  if (status !== 0) throw new SetupFailure("refused", `${what}, status ${status}`);
}

/** Throws `bad-network` on what no network can have. @param {Network} network */
export function checkNetwork({ ssid, passphrase }) {
  const { length } = passphrase;
  const hex = length === 64 && HEX_KEY.test(String.fromCharCode(...passphrase));
  if (ssid.length > MAX_SSID) throw new SetupFailure("bad-network", `the name has ${ssid.length} bytes`);
  if (length && (length < 8 || length > 63) && !hex) throw new SetupFailure("bad-network", "the password's length");
}

/** @param {Fields} fields @returns {ScanEntry} */
function entryOf(fields) {
  return {
    ssid: fields.octets(1, MAX_SSID), channel: fields.uint(2), rssi: fields.int32(3),
    bssid: fields.octets(4, BSSID_SIZE), auth: fields.uint(5),
  };
}

/** @param {any} value a JSON object @returns {string[]} */
function capsOf(value) {
  const caps = value.cap;
  return Array.isArray(caps) ? caps.filter((cap) => typeof cap === "string") : [];
}

/**
 * Read what the device says of itself before anything is proven.
 * @param {Uint8Array} data @returns {Capabilities}
 */
export function parseCapabilities(data) {
  if (data.length > MAX_MESSAGE) throw malformed("the device's description is too long");
  let document;
  try {
    document = JSON.parse(fromUtf8(data));
  } catch {
    return { security: null, patch: 0, caps: [], own: null }; // very old firmware sends plain text
  }
  const prov = document?.prov;
  if (typeof prov !== "object" || prov === null || Array.isArray(prov)) throw malformed("the description has no part prov");
  const { sec_ver: security = null, sec_patch_ver: patch = 0 } = prov;
  if (!Number.isInteger(patch) || (security !== null && !Number.isInteger(security))) throw malformed("its security is no number");
  const own = typeof document[OWN] === "object" && document[OWN] !== null ? capsOf(document[OWN]) : null;
  return { security, patch, caps: capsOf(prov), own };
}

/** The label pins the scheme; the device's own word may only raise it (section 2). @param {Label} label @param {Capabilities} offer */
function checkScheme(label, { security, patch, caps }) {
  const offered = security ?? label.security;
  if ((offered !== 1 && offered !== 2) || offered < label.security || caps.includes("no_sec") || caps.includes("no_pop")) {
    throw new SetupFailure("downgrade", `the label promises security ${label.security}`);
  }
  if (offered === 1 || patch < 1) throw new SetupFailure("old-security", "only security 2, patch 1 is spoken here");
  if (!label.username || !label.pop) throw new SetupFailure("bad-label", "it lacks the user name or the code");
}

export class Configurator {
  #label;
  #ask;
  #crypto;
  #page;
  /** @type {Capabilities | null} */
  #found = null;
  /** @type {import("./sec2.js").LockstepGcm | null} */
  #cipher = null;

  /** @param {Label} label @param {Ask} ask @param {Crypto} crypto @param {number} [page] networks that fit into one reply */
  constructor(label, ask, crypto, page = PAGE) {
    this.#page = page;
    this.#label = label;
    this.#ask = ask;
    this.#crypto = crypto;
  }

  /** Whether a session stands; it ends with the first exchange that goes wrong. @returns {boolean} */
  get secured() {
    return this.#cipher !== null;
  }

  /** Whether the device can register itself; stock firmware cannot. @returns {boolean} */
  get takesOrders() {
    return this.#found !== null && this.#found.own !== null;
  }

  /** Ask the device what it is; throws `downgrade` and `old-security`. */
  async find() {
    this.#found = null;
    const offered = parseCapabilities(await this.#ask("proto-ver", utf8("---")));
    checkScheme(this.#label, offered);
    this.#found = offered;
  }

  /** Prove the code to the device and have it prove the same; throws `wrong-code`. */
  async secure() {
    this.#cipher = null;
    if (this.#found === null) throw new SetupFailure("no-session", "find the device first");
    this.#cipher = await handshake(this.#ask, this.#label.username, this.#label.pop, this.#crypto);
  }

  /** What the device hears, strongest first as it sorts. @returns {Promise<ScanEntry[]>} */
  async networks() {
    const start = concat(putUint(1, true), putUint(3, GROUP_CHANNELS), putUint(4, PERIOD_MS));
    check((await this.#exchange("prov-scan", 0, start)).status, "scan");
    const state = await this.#exchange("prov-scan", 2);
    check(state.status, "scan");
    const count = needed(state.body).uint(2, MAX_ENTRIES);
    const found = [];
    while (found.length < count) {
      const size = Math.min(this.#page, count - found.length);
      const page = await this.#exchange("prov-scan", 4, concat(putUint(1, found.length), putUint(2, size)));
      check(page.status, "list its networks");
      const entries = needed(page.body).messages(1).map(entryOf);
      if (entries.length < 1 || entries.length > size) throw malformed("the device lists another number of networks");
      found.push(...entries);
    }
    return found;
  }

  /** Hand over the registration order. @param {Order} order @returns {Promise<string>} the device's id */
  async deliver({ token, server, alias }) {
    const body = concat(putOctets(1, token), putOctets(2, utf8(server)), putOctets(3, utf8(alias)));
    const answer = await this.#exchange(OWN, 0, body);
    check(answer.status, "take the registration order");
    return needed(answer.body).text(1, MAX_DEVICE_ID);
  }

  /** Set a network and have the device try it. @param {Network} network */
  async putForward(network) {
    checkNetwork(network);
    const set = concat(putOctets(1, network.ssid), putOctets(2, network.passphrase));
    check(needed((await this.#exchange("prov-config", 2, set)).body).uint(1, LAST_STATUS), "take the network");
    check(needed((await this.#exchange("prov-config", 4)).body).uint(1, LAST_STATUS), "try the network");
  }

  /** How far the device got, one of `STAGES`; coarser where it has no endpoint of ours. @returns {Promise<string>} */
  async progress() {
    if (this.takesOrders) {
      const answer = await this.#exchange(OWN, 2);
      check(answer.status, "say how far it got");
      return STAGES[needed(answer.body).uint(1, STAGES.length - 1)];
    }
    const report = needed((await this.#exchange("prov-config", 0)).body);
    check(report.uint(1, LAST_STATUS), "say how far it got");
    const state = report.uint(2, STATION_STATES.length);
    return STATION_STATES[state] ?? STATION_FAILURES[report.uint(10, STATION_FAILURES.length - 1)];
  }

  /** Have the device forget a failed attempt; stock firmware demands it before the next one. */
  async reset() {
    check((await this.#exchange("prov-ctrl", 1)).status, "forget the failed attempt");
  }

  /** Have a connected device open for another network. */
  async reprovision() {
    check((await this.#exchange("prov-ctrl", 3)).status, "take another network");
  }

  /** One sealed question `msg` and its answer `msg + 1`. @param {string} endpoint @param {number} msg @param {Uint8Array} [body] */
  async #exchange(endpoint, msg, body) {
    const cipher = this.#cipher;
    this.#cipher = null;
    if (cipher === null) throw new SetupFailure("no-session", "secure the session first");
    const reply = await cipher.open(await this.#ask(endpoint, await cipher.seal(encode(msg, body))));
    const answer = decode(reply, msg + 1);
    this.#cipher = cipher;
    return answer;
  }
}
