// What a label pins: the QR code's text (version v1) or the printed set-up code.

import { utf8 } from "./bytes.js";
import { SetupFailure } from "./failures.js";
import { spokenCode } from "./spoken.js";

/**
 * @typedef {object} Label
 * @property {string} name of the device's access point or radio; empty where only a code was typed
 * @property {string} username
 * @property {string} pop the code, a secret
 * @property {"softap" | "ble"} transport
 * @property {number} security
 * @property {string} password the access point's key, a secret
 */

const MAX_LABEL = 1024;
const MAX_NAME = 32;
const MAX_SECRET = 64;
const VERSION = "v1";
const OWN_USERNAME = "doorstep";
const TYPES = {
  ver: "string", name: "string", username: "string", pop: "string", transport: "string", security: "number",
  password: "string", network: "string", fingerprint: "string", oob: "string",
};

/** @param {string} detail @returns {never} */
function bad(detail) {
  throw new SetupFailure("bad-label", detail);
}

/** What our own label pins, from its printed code, typed or said. @param {string} code @returns {Label} */
export function typedLabel(code) {
  const pop = spokenCode(code).toLowerCase();
  if (!pop || pop.length > MAX_SECRET) bad("the code is empty or too long");
  return { name: "", username: OWN_USERNAME, pop, transport: "softap", security: 2, password: "" };
}

/** @param {string} text @returns {any} the entries, each of its type */
function read(text) {
  let values = null;
  try {
    values = text.length <= MAX_LABEL ? JSON.parse(text) : null;
  } catch { /* no label */ }
  if (typeof values !== "object" || values === null || Array.isArray(values)) bad("the text is no set-up code");
  for (const [key, value] of Object.entries(values)) {
    if (!Object.hasOwn(TYPES, key)) bad("it has an unknown entry");
    if (typeof value !== TYPES[key]) bad(`its entry ${key} has the wrong type`);
  }
  for (const key of ["ver", "name", "transport"]) if (!Object.hasOwn(values, key)) bad(`it lacks ${key}`);
  if (values.ver !== VERSION) bad("it has another version");
  return values;
}

/** Throws `bad-label` on text that is none, or a useless one. @param {string} text @returns {Label} */
export function parseLabel(text) {
  const { name, username = "", pop = "", transport, security = 2, password = "", network = "wifi" } = read(text);
  const size = utf8(name).length;
  if (size < 1 || size > MAX_NAME) bad(`its name has ${size} bytes`);
  if (transport !== "softap" && transport !== "ble") bad("its transport is unknown");
  if (![0, 1, 2].includes(security) || !["wifi", "thread"].includes(network)) bad("its security or network is unknown");
  if (security > 0 && !pop) bad("it lacks the code");
  if (security === 2 && !username) bad("it lacks the user name");
  if (Math.max(username.length, pop.length, password.length) > MAX_SECRET) bad("an entry is too long");
  return { name, username, pop, transport, security, password };
}

/** A QR code's text where it looks like one, else a typed code. @param {string} text @returns {Label} */
export function labelOf(text) {
  const trimmed = text.trim();
  return trimmed.startsWith("{") ? parseLabel(trimmed) : typedLabel(trimmed);
}
