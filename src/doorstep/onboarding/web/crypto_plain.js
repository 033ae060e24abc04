// The interface of crypto_webcrypto.js in plain JavaScript, for pages that a board serves over http. Browsers
// give such pages true randomness and nothing else. Not constant in time: every key here lives for one session.

import { gcmOpen, gcmSeal } from "./plain_gcm.js";
import { digest256, digest512 } from "./plain_sha2.js";

/** @typedef {import("./crypto_webcrypto.js").Crypto} Crypto */

const NOTHING = new Uint8Array();

export { random } from "./crypto_webcrypto.js";

/** @type {Crypto["sha256"]} */
export async function sha256(data) {
  return digest256(data);
}

/** @type {Crypto["sha512"]} */
export async function sha512(data) {
  return digest512(data);
}

/** @type {Crypto["sealGcm"]} */
export async function sealGcm(key, nonce, plain, aad = NOTHING) {
  return gcmSeal(key, nonce, plain, aad);
}

/** @type {Crypto["openGcm"]} */
export async function openGcm(key, nonce, sealed, aad = NOTHING) {
  return gcmOpen(key, nonce, sealed, aad);
}
