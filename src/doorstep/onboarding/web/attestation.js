// The phone's side of an attestation: the device signs the platform's challenge over this very conversation
// (docs/spec/onboarding-sealed.md section 4). Nothing of it is verified before the platform has done so.

import { concat, toBigInt, utf8 } from "./bytes.js";
import { malformed } from "./failures.js";

/** @typedef {import("./crypto_webcrypto.js").Crypto} Crypto */
/** @typedef {{statement: Uint8Array, transcript: Uint8Array, pattern: number[]}} Attestation `pattern` is what the right device shows */

const ENDPOINT = "doorstep-attest";
const NONCE_SIZE = 32;
const COMMIT = Uint8Array.of(1);
const ATTEST = Uint8Array.of(2);
const NO_SESSION = new Uint8Array(32);
const COUNTS = 6;

/** @param {Crypto} crypto @param {Uint8Array} transcript @returns {Promise<number[]>} three counts of pulses */
async function patternOf(crypto, transcript) {
  const digest = await crypto.sha256(concat(utf8("doorstep pattern 1"), transcript));
  const number = Number(toBigInt(digest.slice(0, 4))) % COUNTS ** 3;
  return [number / COUNTS ** 2, number / COUNTS, number].map((digits) => (Math.floor(digits) % COUNTS) + 1);
}

/**
 * Have a device sign the platform's challenge, before any session.
 * @param {import("./sec2.js").Ask} ask @param {Uint8Array} challenge @param {Crypto} crypto @returns {Promise<Attestation>}
 */
export async function attest(ask, challenge, crypto) {
  const nonce = crypto.random(NONCE_SIZE);
  const commitment = await crypto.sha256(concat(utf8("doorstep commitment 1"), nonce));
  const deviceNonce = await ask(ENDPOINT, concat(COMMIT, commitment));
  if (deviceNonce.length !== NONCE_SIZE) throw malformed(`a device's nonce has ${deviceNonce.length} bytes`);
  const statement = await ask(ENDPOINT, concat(ATTEST, nonce, challenge));
  const transcript = await crypto.sha256(concat(utf8("doorstep transcript 1"), NO_SESSION, nonce, deviceNonce));
  return { statement, transcript, pattern: await patternOf(crypto, transcript) };
}
