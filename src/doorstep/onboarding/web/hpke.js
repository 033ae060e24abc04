// HPKE, base mode, one message (RFC 9180): DHKEM(P-256, HKDF-SHA256), HKDF-SHA256, AES-128-GCM. By WebCrypto alone.

import { concat, utf8 } from "./bytes.js";
import { sealGcm } from "./crypto_webcrypto.js";

/** @typedef {{publicPoint: Uint8Array, agree: (point: Uint8Array) => Promise<Uint8Array>}} KeyPair */

const CURVE = { name: "ECDH", namedCurve: "P-256" };
const POINT_SIZE = 65;
const EMPTY = new Uint8Array();
const ZEROS = new Uint8Array(32);
const KEM = concat(utf8("KEM"), Uint8Array.of(0x00, 0x10));
const SUITE = concat(utf8("HPKE"), Uint8Array.of(0x00, 0x10, 0x00, 0x01, 0x00, 0x01));
const BASE_MODE = Uint8Array.of(0);

/** @param {CryptoKey} privateKey @param {Uint8Array} publicPoint @returns {KeyPair} */
export function pairOf(privateKey, publicPoint) {
  const agree = async (point) => {
    const theirs = await crypto.subtle.importKey("raw", point, CURVE, false, []);
    return new Uint8Array(await crypto.subtle.deriveBits({ name: "ECDH", public: theirs }, privateKey, 256));
  };
  return { publicPoint, agree };
}

/** @returns {Promise<KeyPair>} */
async function drawPair() {
  const { privateKey, publicKey } = await crypto.subtle.generateKey(CURVE, false, ["deriveBits"]);
  return pairOf(privateKey, new Uint8Array(await crypto.subtle.exportKey("raw", publicKey)));
}

/** @param {Uint8Array} key @param {Uint8Array} data @returns {Promise<Uint8Array>} */
async function hmac(key, data) {
  // An empty key equals one of zeros, and some browsers refuse the empty one.
  const how = { name: "HMAC", hash: "SHA-256" };
  const imported = await crypto.subtle.importKey("raw", key.length ? key : ZEROS, how, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", imported, data));
}

function extract(suite, salt, label, material) {
  return hmac(salt, concat(utf8("HPKE-v1"), suite, utf8(label), material));
}

/** Of at most one hash's length, which is all that is needed here. */
async function expand(suite, prk, label, info, size) {
  const labelled = concat(Uint8Array.of(0, size), utf8("HPKE-v1"), suite, utf8(label), info);
  return (await hmac(prk, concat(labelled, Uint8Array.of(1)))).slice(0, size);
}

/** Section 5.1; the nonce of message 0 is the base nonce. */
async function schedule(secret, info) {
  const parts = [await extract(SUITE, EMPTY, "psk_id_hash", EMPTY), await extract(SUITE, EMPTY, "info_hash", info)];
  const context = concat(BASE_MODE, ...parts);
  const prk = await extract(SUITE, secret, "secret", EMPTY);
  return { key: await expand(SUITE, prk, "key", context, 16), nonce: await expand(SUITE, prk, "base_nonce", context, 12) };
}

/**
 * Seal one message to a public key; throws where that is no point of the curve.
 * @param {Uint8Array} recipient uncompressed point @param {Uint8Array} info @param {Uint8Array} aad
 * @param {Uint8Array} plain @param {KeyPair} [ephemeral] for known answers only
 * @returns {Promise<Uint8Array>} the encapsulated key, then the ciphertext with its tag
 */
export async function sealTo(recipient, info, aad, plain, ephemeral) {
  if (recipient.length !== POINT_SIZE) throw new TypeError("not an uncompressed point");
  const mine = ephemeral ?? await drawPair();
  const prk = await extract(KEM, EMPTY, "eae_prk", await mine.agree(recipient));
  const secret = await expand(KEM, prk, "shared_secret", concat(mine.publicPoint, recipient), 32);
  const { key, nonce } = await schedule(secret, info);
  return concat(mine.publicPoint, await sealGcm(key, nonce, plain, aad));
}
