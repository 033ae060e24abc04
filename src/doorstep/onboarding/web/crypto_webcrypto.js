// The browser's own cryptography; it exists on secure pages (https and localhost) only.

/**
 * What the set-up asks of a crypto library. `crypto_plain.js` is the same for pages without WebCrypto.
 * @typedef {object} Crypto
 * @property {(size: number) => Uint8Array} random
 * @property {(data: Uint8Array) => Promise<Uint8Array>} sha256
 * @property {(data: Uint8Array) => Promise<Uint8Array>} sha512
 * @property {(key: Uint8Array, nonce: Uint8Array, plain: Uint8Array, aad?: Uint8Array) => Promise<Uint8Array>} sealGcm
 * @property {(key: Uint8Array, nonce: Uint8Array, sealed: Uint8Array, aad?: Uint8Array) => Promise<Uint8Array | null>} openGcm
 *   null where the message does not hold
 */

const NOTHING = new Uint8Array();

/** @param {number} size @returns {Uint8Array} */
export function random(size) {
  return crypto.getRandomValues(new Uint8Array(size));
}

/** @param {Uint8Array} data @returns {Promise<Uint8Array>} */
export async function sha256(data) {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", data));
}

/** @param {Uint8Array} data @returns {Promise<Uint8Array>} */
export async function sha512(data) {
  return new Uint8Array(await crypto.subtle.digest("SHA-512", data));
}

/** @param {Uint8Array} key @param {"encrypt" | "decrypt"} use @returns {Promise<CryptoKey>} */
function gcmKey(key, use) {
  return crypto.subtle.importKey("raw", key, "AES-GCM", false, [use]);
}

/** @type {Crypto["sealGcm"]} */
export async function sealGcm(key, nonce, plain, aad = NOTHING) {
  const how = { name: "AES-GCM", iv: nonce, additionalData: aad };
  return new Uint8Array(await crypto.subtle.encrypt(how, await gcmKey(key, "encrypt"), plain));
}

/** @type {Crypto["openGcm"]} */
export async function openGcm(key, nonce, sealed, aad = NOTHING) {
  const how = { name: "AES-GCM", iv: nonce, additionalData: aad };
  const imported = await gcmKey(key, "decrypt");
  try {
    return new Uint8Array(await crypto.subtle.decrypt(how, imported, sealed));
  } catch {
    return null;
  }
}
