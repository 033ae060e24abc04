// Security 2, patch 1, the configurator's side: the handshake, then AES-256-GCM whose counter moves in lock-step.
// docs/spec/onboarding-protocomm.md sections 3 and 4.

import { concat, utf8 } from "./bytes.js";
import { SetupFailure, malformed } from "./failures.js";
import { parse, putMessage, putOctets, putUint } from "./protobuf.js";
import { GROUP_SIZE, agree, checkProof, drawKeyPair } from "./srp6a.js";

/** @typedef {import("./crypto_webcrypto.js").Crypto} Crypto */
/** @typedef {(endpoint: string, body: Uint8Array) => Promise<Uint8Array>} Ask carries one request and its reply */

export const MAX_MESSAGE = 4096;
const SUCCESS = 0;
const INVALID_SCHEME = 1;
const CRYPTO_ERROR = 6;
const LAST_STATUS = 7;
const SCHEME = 2;
const BODIES = [10, 11, 12];
const COMMAND0 = 20;
const LAST_KIND = 3;
const MAX_SALT = 64;
const PROOF_SIZE = 64;
const NONCE_SIZE = 12;
const PREFIX_SIZE = 8;
const KEY_SIZE = 32;
const COUNTER_MAX = 2 ** 32 - 1;

/** Seals and opens one session's messages in strict turns; after a failure it is spent. */
export class LockstepGcm {
  #crypto;
  #key;
  #prefix;
  #counter;
  #busy = false;

  /** @param {Crypto} crypto @param {Uint8Array} key @param {Uint8Array} nonce its last four bytes are the first counter */
  constructor(crypto, key, nonce) {
    this.#crypto = crypto;
    this.#key = key;
    this.#prefix = nonce.slice(0, PREFIX_SIZE);
    this.#counter = new DataView(nonce.buffer, nonce.byteOffset).getUint32(PREFIX_SIZE);
  }

  /** @param {Uint8Array} plain @returns {Promise<Uint8Array>} */
  seal(plain) {
    return this.#inTurn((nonce) => this.#crypto.sealGcm(this.#key, nonce, plain));
  }

  /** @param {Uint8Array} sealed @returns {Promise<Uint8Array>} */
  open(sealed) {
    return this.#inTurn(async (nonce) => {
      const plain = await this.#crypto.openGcm(this.#key, nonce, sealed);
      if (plain === null) throw new SetupFailure("forged", "a message was forged, replayed or out of order");
      return plain;
    });
  }

  /** Forget the key; nothing is sealed or opened any more. */
  end() {
    this.#counter = COUNTER_MAX + 1;
    this.#key = new Uint8Array(KEY_SIZE);
  }

  /** @param {(nonce: Uint8Array) => Promise<Uint8Array>} work @returns {Promise<Uint8Array>} */
  async #inTurn(work) {
    if (this.#busy || this.#counter > COUNTER_MAX) {
      this.end();
      throw new SetupFailure("no-session", "the session is over");
    }
    const nonce = concat(this.#prefix, new Uint8Array(4));
    new DataView(nonce.buffer).setUint32(PREFIX_SIZE, this.#counter);
    this.#counter += 1;
    this.#busy = true;
    try {
      return await work(nonce);
    } catch (error) {
      this.end();
      throw error;
    } finally {
      this.#busy = false;
    }
  }
}

/** @param {number} msg @param {Uint8Array} body @returns {Uint8Array} */
function encode(msg, body) {
  const inner = concat(putUint(1, msg), putMessage(COMMAND0 + msg, body));
  return concat(putUint(2, SCHEME), putMessage(BODIES[SCHEME], inner));
}

/** @param {Uint8Array} data @param {number} expected kind @returns {import("./protobuf.js").Fields} */
function decode(data, expected) {
  const outer = parse(data, MAX_MESSAGE);
  const scheme = outer.uint(2, BODIES.length - 1);
  for (const [other, number] of BODIES.entries()) {
    if (outer.has(number) !== (other === scheme)) throw malformed("a handshake message carries another scheme's body");
  }
  if (scheme !== SCHEME) throw new SetupFailure("downgrade", `the device answers with security ${scheme}`);
  const inner = outer.message(BODIES[SCHEME]);
  const msg = inner.uint(1, LAST_KIND);
  if (msg !== expected) throw malformed("another handshake message was expected");
  for (let number = COMMAND0; number <= COMMAND0 + LAST_KIND; number += 1) {
    if (inner.has(number) && number !== COMMAND0 + msg) throw malformed("a handshake message carries another's body");
  }
  return inner.message(COMMAND0 + msg);
}

/** @param {import("./protobuf.js").Fields} fields */
function checkStatus(fields) {
  const status = fields.uint(1, LAST_STATUS);
  if (status === CRYPTO_ERROR) throw new SetupFailure("wrong-code");
  if (status === INVALID_SCHEME) throw new SetupFailure("downgrade", "the device does not speak security 2");
  if (status !== SUCCESS) throw new SetupFailure("refused", `the handshake, status ${status}`);
}

/** @param {import("./protobuf.js").Fields} fields @param {number} number @param {number} size @returns {Uint8Array} */
function exactly(fields, number, size) {
  const value = fields.octets(number, size);
  if (value.length !== size) throw malformed(`field ${number} has ${value.length} bytes, not ${size}`);
  return value;
}

/**
 * Prove the code to the device and have it prove the same. Throws `wrong-code` where one of them cannot.
 * @param {Ask} ask @param {string} username @param {string} code @param {Crypto} crypto
 * @returns {Promise<LockstepGcm>}
 */
export async function handshake(ask, username, code, crypto) {
  const mine = drawKeyPair(crypto);
  const opening = encode(0, concat(putOctets(1, utf8(username)), putOctets(2, mine.publicValue)));
  const first = decode(await ask("prov-session", opening), 1);
  checkStatus(first);
  const salt = first.octets(3, MAX_SALT);
  if (!salt.length) throw malformed("the device sent no salt");
  const agreed = await agree(crypto, username, code, salt, mine, first.octets(2, GROUP_SIZE));
  const second = decode(await ask("prov-session", encode(2, putOctets(1, agreed.userProof))), 3);
  checkStatus(second);
  checkProof(agreed.deviceProof, exactly(second, 2, PROOF_SIZE));
  return new LockstepGcm(crypto, agreed.key.slice(0, KEY_SIZE), exactly(second, 3, NONCE_SIZE));
}
