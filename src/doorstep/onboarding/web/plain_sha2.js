// SHA-256 and SHA-512 (FIPS 180-4) for pages without WebCrypto; short and slow, which a handshake can bear.

import { concat, fromBigInt, toBigInt } from "./bytes.js";

/** The first `count` primes. @param {number} count @returns {bigint[]} */
function primes(count) {
  const found = [];
  for (let number = 2n; found.length < count; number += 1n) {
    if (found.every((prime) => number % prime)) found.push(number);
  }
  return found;
}

/** The largest root with root ** degree <= number. @param {bigint} number @param {bigint} degree @returns {bigint} */
function root(number, degree) {
  let low = 0n;
  let high = 1n << 70n;
  while (high - low > 1n) {
    const middle = (low + high) / 2n;
    if (middle ** degree <= number) low = middle;
    else high = middle;
  }
  return low;
}

const PRIMES = primes(80);
/** 64 bits of the fractions of the primes' roots, sections 4.2.3 and 5.3.5. */
const ROUNDS = PRIMES.map((prime) => BigInt.asUintN(64, root(prime << 192n, 3n)));
const START = PRIMES.slice(0, 8).map((prime) => BigInt.asUintN(64, root(prime << 128n, 2n)));

/**
 * @typedef {object} Variant
 * @property {bigint} bits of a word
 * @property {bigint[]} start
 * @property {bigint[]} rounds
 * @property {[number, number, number]} sum0 rotations, sections 4.1.2 and 4.1.3
 * @property {[number, number, number]} sum1
 * @property {[number, number, number]} sigma0 two rotations and a shift
 * @property {[number, number, number]} sigma1
 */

/** @type {Variant} */
const SHA512 = {
  bits: 64n, start: START, rounds: ROUNDS,
  sum0: [28, 34, 39], sum1: [14, 18, 41], sigma0: [1, 8, 7], sigma1: [19, 61, 6],
};
/** @type {Variant} */
const SHA256 = {
  bits: 32n, start: START.map((word) => word >> 32n), rounds: ROUNDS.slice(0, 64).map((word) => word >> 32n),
  sum0: [2, 13, 22], sum1: [6, 11, 25], sigma0: [7, 18, 3], sigma1: [17, 19, 10],
};

/** @param {Uint8Array} data @param {Variant} how @returns {Uint8Array} */
function digest(data, how) {
  const size = Number(how.bits) / 8;
  const block = size * 16;
  const mask = (1n << how.bits) - 1n;
  const rotate = (word, by) => ((word >> BigInt(by)) | (word << (how.bits - BigInt(by)))) & mask;
  const sum = (word, [a, b, c]) => rotate(word, a) ^ rotate(word, b) ^ rotate(word, c);
  const sigma = (word, [a, b, c]) => rotate(word, a) ^ rotate(word, b) ^ (word >> BigInt(c));
  const zeros = (2 * block - 1 - 2 * size - (data.length % block)) % block;
  const padded = concat(data, Uint8Array.of(0x80), new Uint8Array(zeros), fromBigInt(BigInt(data.length * 8), 2 * size));
  let state = how.start;
  for (let from = 0; from < padded.length; from += block) {
    const words = Array.from({ length: 16 }, (_, at) => toBigInt(padded.subarray(from + at * size, from + (at + 1) * size)));
    for (let at = 16; at < how.rounds.length; at += 1) {
      words.push((sigma(words[at - 2], how.sigma1) + words[at - 7] + sigma(words[at - 15], how.sigma0) + words[at - 16]) & mask);
    }
    let [a, b, c, d, e, f, g, h] = state;
    for (const [at, word] of words.entries()) {
      const one = h + sum(e, how.sum1) + ((e & f) ^ (~e & mask & g)) + how.rounds[at] + word;
      const two = sum(a, how.sum0) + ((a & b) ^ (a & c) ^ (b & c));
      [a, b, c, d, e, f, g, h] = [(one + two) & mask, a, b, c, (d + one) & mask, e, f, g];
    }
    state = [a, b, c, d, e, f, g, h].map((word, at) => (word + state[at]) & mask);
  }
  return concat(...state.map((word) => fromBigInt(word, size)));
}

/** @param {Uint8Array} data @returns {Uint8Array} */
export function digest256(data) {
  return digest(data, SHA256);
}

/** @param {Uint8Array} data @returns {Uint8Array} */
export function digest512(data) {
  return digest(data, SHA512);
}
