// Sealed credentials, version 1: Wi-Fi and registration order, encrypted to one device's factory key, so that
// anything may carry them (docs/spec/onboarding-sealed.md section 2). The password never leaves the browser in clear.

import { concat, toBase64url, utf8 } from "./bytes.js";
import { random } from "./crypto_webcrypto.js";
import { SetupFailure } from "./failures.js";
import { sealTo } from "./hpke.js";
import { checkNetwork } from "./protocomm.js";

/** @typedef {import("./hpke.js").KeyPair} KeyPair */
/** @typedef {import("./protocomm.js").Network} Network */
/** @typedef {import("./protocomm.js").Order} Order */
/**
 * @typedef {object} Content
 * @property {Network[]} networks one to four, tried in their order
 * @property {Order | null} [order]
 * @property {Uint8Array | null} [release] the owner's, for a device that is somebody's already
 */

const VERSION = Uint8Array.of(1);
const INFO = utf8("doorstep sealed credentials 1");
const NONCE_SIZE = 16;
const PADDING = 64;
const MAX_NETWORKS = 4;
const MARK = Uint8Array.of(0x80);
const NETWORKS = Uint8Array.of(1);
const ORDER = Uint8Array.of(2);
const RELEASE = Uint8Array.of(3);
const ALPHABET = "abcdefghijklmnopqrstuvwxyz234567";
const DEVICE_ID = /^[a-z2-7]{8}$/;
/** CBOR's major types (RFC 8949 section 3.1). */
const BYTES = 2;
const TEXT = 3;
const ARRAY = 4;
const MAP = 5;

/** @param {number} major @param {number} size @returns {Uint8Array} */
function head(major, size) {
  if (size < 24) return Uint8Array.of((major << 5) | size);
  return size < 256 ? Uint8Array.of((major << 5) | 24, size) : Uint8Array.of((major << 5) | 25, size >> 8, size & 255);
}

const bytes = (value) => concat(head(BYTES, value.length), value);
const text = (value) => concat(head(TEXT, utf8(value).length), utf8(value));
const array = (...items) => concat(head(ARRAY, items.length), ...items);

/** Deterministic CBOR, marked and padded. @param {Content} content @returns {Uint8Array} */
function encodeContent({ networks, order, release }) {
  const pairs = networks.map(({ ssid, passphrase }) => array(bytes(ssid), bytes(passphrase)));
  const fields = [concat(NETWORKS, array(...pairs))];
  if (order) fields.push(concat(ORDER, array(bytes(order.token), text(order.server), text(order.alias))));
  if (release) fields.push(concat(RELEASE, bytes(release)));
  const marked = concat(head(MAP, fields.length), ...fields, MARK);
  return concat(marked, new Uint8Array((PADDING - (marked.length % PADDING)) % PADDING));
}

/** The device id's raw bytes. @param {string} deviceId @returns {Uint8Array} */
function kidOf(deviceId) {
  if (!DEVICE_ID.test(deviceId)) throw new SetupFailure("malformed", "no device id");
  let number = 0n;
  for (const char of deviceId) number = number * 32n + BigInt(ALPHABET.indexOf(char));
  return Uint8Array.from({ length: 5 }, (_, at) => Number((number >> BigInt(32 - 8 * at)) & 255n));
}

/**
 * Seal credentials for one device.
 * @param {{deviceId: string, publicKey: Uint8Array}} device its factory key as an uncompressed point
 * @param {Content} content @param {number} expires seconds since 1970
 * @param {{nonce: Uint8Array, ephemeral: KeyPair}} [known] for known answers only
 * @returns {Promise<Uint8Array>} the blob
 */
export async function sealCredentials({ deviceId, publicKey }, content, expires, known) {
  const { networks } = content;
  if (networks.length < 1 || networks.length > MAX_NETWORKS) throw new SetupFailure("bad-network", "one to four networks");
  networks.forEach(checkNetwork);
  const until = new DataView(new ArrayBuffer(4));
  until.setUint32(0, expires);
  const header = concat(VERSION, kidOf(deviceId), known?.nonce ?? random(NONCE_SIZE), new Uint8Array(until.buffer));
  return concat(header, await sealTo(publicKey, INFO, header, encodeContent(content), known?.ephemeral));
}

/** As it stands in files, messages, QR codes and addresses. @param {Uint8Array} blob @returns {string} */
export function blobText(blob) {
  return toBase64url(blob);
}

/** The address of the device's own page, with the blob where no server sees it. @param {string} shown @param {string} page */
export function blobLink(shown, page) {
  return `${page}#sealed=${shown}`;
}
