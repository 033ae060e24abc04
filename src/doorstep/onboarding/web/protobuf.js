// Proto3 fields, read strictly and written canonically: what protocomm needs and no more.
// Unknown fields are skipped. A varint has one form, a singular field comes once, groups do not exist.

import { concat, fromUtf8 } from "./bytes.js";
import { malformed } from "./failures.js";

const VARINT = 0;
const FIXED64 = 1;
const OCTETS = 2;
const FIXED32 = 5;
const MAX_VARINT_BYTES = 10;
const MAX_FIELD_NUMBER = 2n ** 29n - 1n;
const UINT32_MAX = 2 ** 32 - 1;
const WORD = 2n ** 64n;

/** @typedef {bigint | Uint8Array} Value */

/** @param {Uint8Array} data @param {number} at @returns {[bigint, number]} the number and where it ends */
function readVarint(data, at) {
  let value = 0n;
  for (let index = 0; index < MAX_VARINT_BYTES && at + index < data.length; index += 1) {
    const octet = data[at + index];
    value |= BigInt(octet & 0x7f) << BigInt(7 * index);
    if (octet >= 0x80) continue;
    if (value >= WORD || (index > 0 && octet === 0)) throw malformed("a varint is longer than its number needs");
    return [value, at + index + 1];
  }
  throw malformed("a varint is cut off or never ends");
}

/** @param {number} kind @param {Uint8Array} data @param {number} at @returns {[number, number]} */
function sizeOf(kind, data, at) {
  if (kind === FIXED64) return [8, at];
  if (kind === FIXED32) return [4, at];
  if (kind !== OCTETS) throw malformed(`wire type ${kind} does not exist in proto3`);
  const [size, next] = readVarint(data, at);
  return [size > BigInt(data.length) ? data.length + 1 : Number(size), next];
}

/** @param {Uint8Array} data @returns {Map<number, Value[]>} */
function read(data) {
  const values = new Map();
  let at = 0;
  while (at < data.length) {
    let tag;
    let value;
    [tag, at] = readVarint(data, at);
    const number = tag >> 3n;
    const kind = Number(tag & 7n);
    if (number < 1n || number > MAX_FIELD_NUMBER) throw malformed(`field number ${number} does not exist`);
    if (kind === VARINT) [value, at] = readVarint(data, at);
    else {
      let size;
      [size, at] = sizeOf(kind, data, at);
      if (size > data.length - at) throw malformed(`field ${number} ends after the message`);
      value = data.slice(at, at + size);
      at += size;
    }
    values.set(Number(number), [...(values.get(Number(number)) ?? []), value]);
  }
  return values;
}

/** The fields of one message by number; absent scalars read as their proto3 default. */
export class Fields {
  /** @param {Uint8Array} data */
  constructor(data) {
    this.values = read(data);
  }

  /** @param {number} number @returns {boolean} */
  has(number) {
    return this.values.has(number);
  }

  /** @param {number} number @param {number} [most] @returns {number} */
  uint(number, most = UINT32_MAX) {
    const value = this.#one(number, 0n);
    if (typeof value !== "bigint") throw malformed(`field ${number} should be a number`);
    if (value > BigInt(most)) throw malformed(`field ${number} is more than ${most}`);
    return Number(value);
  }

  /** @param {number} number @returns {number} */
  int32(number) {
    const value = this.#one(number, 0n);
    if (typeof value !== "bigint") throw malformed(`field ${number} should be a number`);
    const signed = BigInt.asIntN(64, value);
    if (BigInt.asIntN(32, signed) !== signed) throw malformed(`field ${number} is not a 32-bit integer`);
    return Number(signed);
  }

  /** @param {number} number @param {number} most @returns {Uint8Array} */
  octets(number, most) {
    const value = this.#one(number, new Uint8Array());
    if (typeof value === "bigint") throw malformed(`field ${number} should be bytes`);
    if (value.length > most) throw malformed(`field ${number} has more than ${most} bytes`);
    return value;
  }

  /** @param {number} number @param {number} most @returns {string} */
  text(number, most) {
    try {
      return fromUtf8(this.octets(number, most));
    } catch (error) {
      if (error instanceof TypeError) throw malformed(`field ${number} is not UTF-8`);
      throw error;
    }
  }

  /** An absent one throws, because its sender forgot it. @param {number} number @returns {Fields} */
  message(number) {
    if (!this.has(number)) throw malformed(`message ${number} is missing`);
    const value = this.#one(number, new Uint8Array());
    if (typeof value === "bigint") throw malformed(`field ${number} should be a message`);
    return new Fields(value);
  }

  /** @param {number} number @returns {Fields[]} */
  messages(number) {
    return (this.values.get(number) ?? []).map((value) => {
      if (typeof value === "bigint") throw malformed(`field ${number} should be messages`);
      return new Fields(value);
    });
  }

  /** @param {number} number @param {Value} absent @returns {Value} */
  #one(number, absent) {
    const found = this.values.get(number) ?? [absent];
    if (found.length > 1) throw malformed(`field ${number} comes ${found.length} times`);
    return found[0];
  }
}

/** @param {Uint8Array} data @param {number} most @returns {Fields} */
export function parse(data, most) {
  if (data.length > most) throw malformed(`a message has ${data.length} bytes, more than ${most}`);
  return new Fields(data);
}

/** @param {bigint} value @returns {Uint8Array} */
function varint(value) {
  const out = [];
  for (; value >= 0x80n; value >>= 7n) out.push(Number(value & 0x7fn) | 0x80);
  return Uint8Array.from([...out, Number(value)]);
}

/** @param {number} number @param {number} kind @returns {Uint8Array} */
function tag(number, kind) {
  return varint(BigInt(number * 8 + kind));
}

/** Zero is left out. @param {number} number @param {number | boolean} value @returns {Uint8Array} */
export function putUint(number, value) {
  return value ? concat(tag(number, VARINT), varint(BigInt(value))) : new Uint8Array();
}

/** Two's complement of 64 bits. @param {number} number @param {number} value @returns {Uint8Array} */
export function putInt(number, value) {
  return value ? concat(tag(number, VARINT), varint(BigInt.asUintN(64, BigInt(value)))) : new Uint8Array();
}

/** Also an empty one. @param {number} number @param {Uint8Array} body @returns {Uint8Array} */
export function putMessage(number, body) {
  return concat(tag(number, OCTETS), varint(BigInt(body.length)), body);
}

/** None where it is empty. @param {number} number @param {Uint8Array} value @returns {Uint8Array} */
export function putOctets(number, value) {
  return value.length ? putMessage(number, value) : value;
}
