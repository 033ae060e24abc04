// SRP-6a as security 2 uses it, the configurator's side: RFC 5054's 3072-bit group, g = 5, SHA-512.
// docs/spec/onboarding-protocomm.md section 3. BigInt is not constant in time: an exponent serves once.

import { concat, equal, fromBigInt, toBigInt, utf8 } from "./bytes.js";
import { SetupFailure, malformed } from "./failures.js";

/** @typedef {import("./crypto_webcrypto.js").Crypto} Crypto */
/** @typedef {{key: Uint8Array, userProof: Uint8Array, deviceProof: Uint8Array}} Agreement */

/** Bytes of a public value. */
export const GROUP_SIZE = 384;
const EXPONENT_SIZE = 32;
const G = 5n;
/** RFC 5054 appendix A, 3072-bit group. */
export const PRIME = BigInt(
  "0xFFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DD"
  + "EF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED"
  + "EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F"
  + "83655D23DCA3AD961C62F356208552BB9ED529077096966D670C354E4ABC9804F1746C08CA18217C32905E462E36CE3B"
  + "E39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF6955817183995497CEA956AE515D2261898FA0510"
  + "15728E5A8AAAC42DAD33170D04507A33A85521ABDF1CBA64ECFB850458DBEF0A8AEA71575D060C7DB3970F85A6E1E4C7"
  + "ABF5AE8CDB0933D71E8C94E04A25619DCEE3D2261AD2EE6BF12FFA06D98A0864D87602733EC86A64521F2B18177B200C"
  + "BBE117577A615D6C770988C0BAD946E208E24FA074E5AB3143DB5BFCE0FD108E4B82D120A93AD2CAFFFFFFFFFFFFFFFF",
);

/** @param {bigint} number @returns {Uint8Array} */
function pad(number) {
  return fromBigInt(number, GROUP_SIZE);
}

/** base ** exponent modulo the prime, four bits at a time. @param {bigint} base @param {bigint} exponent */
function power(base, exponent) {
  const row = [1n];
  while (row.length < 16) row.push((row[row.length - 1] * base) % PRIME);
  let result = 1n;
  for (const digit of exponent.toString(16)) {
    for (let turn = 0; turn < 4; turn += 1) result = (result * result) % PRIME;
    result = (result * row[Number.parseInt(digit, 16)]) % PRIME;
  }
  return result;
}

/**
 * Draw 256 bits with the top bit set, again while the public value would start with a zero byte.
 * @param {Crypto} crypto @returns {{exponent: bigint, publicValue: Uint8Array}}
 */
export function drawKeyPair(crypto) {
  for (;;) {
    const drawn = crypto.random(EXPONENT_SIZE);
    drawn[0] |= 0x80;
    const exponent = toBigInt(drawn);
    const publicValue = pad(power(G, exponent));
    if (publicValue[0]) return { exponent, publicValue };
  }
}

/** @param {Uint8Array} value @returns {bigint} */
function checkedPublic(value) {
  if (value.length < 1 || value.length > GROUP_SIZE) throw malformed(`a public value has ${value.length} bytes`);
  const number = toBigInt(value);
  // 0, N, 2N…: whoever sends it needs no code.
  if (number % PRIME === 0n) throw new SetupFailure("forged", "a public value is a multiple of the group's prime");
  return number;
}

/**
 * Reach the key from the code. Throws `forged` on a public value that would give it away.
 * @param {Crypto} crypto @param {string} username @param {string} code @param {Uint8Array} salt
 * @param {{exponent: bigint, publicValue: Uint8Array}} mine @param {Uint8Array} theirs as it was sent
 * @returns {Promise<Agreement>}
 */
export async function agree(crypto, username, code, salt, mine, theirs) {
  const hash = (...parts) => crypto.sha512(concat(...parts));
  const number = async (...parts) => toBigInt(await hash(...parts));
  const b = checkedPublic(theirs);
  const who = utf8(username);
  const x = await number(salt, await hash(who, utf8(":"), utf8(code)));
  const k = await number(pad(PRIME), pad(G));
  const u = await number(mine.publicValue, pad(b));
  if (u === 0n) throw new SetupFailure("forged", "the scrambling value is zero");
  const masked = (b - ((k * power(G, x)) % PRIME) + PRIME) % PRIME;
  const key = await hash(fromBigInt(power(masked, mine.exponent + u * x)));
  const [prime, generator] = [await hash(pad(PRIME)), await hash(pad(G))];
  const group = prime.map((octet, at) => octet ^ generator[at]);
  const userProof = await hash(group, await hash(who), salt, mine.publicValue, theirs, key);
  return { key, userProof, deviceProof: await hash(mine.publicValue, userProof, key) };
}

/** @param {Uint8Array} expected @param {Uint8Array} given */
export function checkProof(expected, given) {
  if (!equal(expected, given)) throw new SetupFailure("wrong-code");
}
