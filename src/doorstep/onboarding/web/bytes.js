// Octets: the little of it that JavaScript lacks.

const HEX = /^(?:[0-9a-f]{2})*$/i;
const BASE64URL = /^[A-Za-z0-9_-]*$/;

/** @param {...Uint8Array} parts @returns {Uint8Array} */
export function concat(...parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/**
 * Compare secrets without telling by the time taken where they differ.
 * @param {Uint8Array} one @param {Uint8Array} other @returns {boolean}
 */
export function equal(one, other) {
  let difference = one.length ^ other.length;
  for (let at = 0; at < one.length; at += 1) difference |= one[at] ^ (other[at] ?? 0);
  return difference === 0;
}

/** @param {string} text @returns {Uint8Array} */
export function utf8(text) {
  return new TextEncoder().encode(text);
}

/** Throws TypeError on octets that are no UTF-8. @param {Uint8Array} octets @returns {string} */
export function fromUtf8(octets) {
  return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(octets);
}

/** A network's name for a screen: nothing in it turns or hides what stands beside it. @param {Uint8Array} ssid @returns {string} */
export function shown(ssid) {
  try {
    return fromUtf8(ssid).replace(/[\p{C}\p{Zl}\p{Zp}]/gu, "\u{fffd}");
  } catch {
    return Array.from(ssid, (octet) => (octet > 0x1f && octet < 0x7f ? String.fromCharCode(octet) : `\\x${octet.toString(16).padStart(2, "0")}`)).join("");
  }
}

/** @param {Uint8Array} octets @returns {string} */
export function toHex(octets) {
  return Array.from(octets, (octet) => octet.toString(16).padStart(2, "0")).join("");
}

/** Throws TypeError on anything but pairs of digits. @param {string} text @returns {Uint8Array} */
export function fromHex(text) {
  if (!HEX.test(text)) throw new TypeError("not hexadecimal");
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

/** Without padding, as tokens are written. @param {Uint8Array} octets @returns {string} */
export function toBase64url(octets) {
  const text = btoa(Array.from(octets, (octet) => String.fromCharCode(octet)).join(""));
  return text.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

/** Throws TypeError on text that is no base64url. @param {string} text @returns {Uint8Array} */
export function fromBase64url(text) {
  if (!BASE64URL.test(text) || text.length % 4 === 1) throw new TypeError("not base64url");
  return Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (char) => char.charCodeAt(0));
}

/** Big-endian. @param {Uint8Array} octets @returns {bigint} */
export function toBigInt(octets) {
  return octets.length ? BigInt(`0x${toHex(octets)}`) : 0n;
}

/**
 * Big-endian, in exactly `size` octets, or in as few as it takes.
 * @param {bigint} number @param {number} [size] @returns {Uint8Array}
 */
export function fromBigInt(number, size) {
  const digits = number === 0n ? "" : number.toString(16);
  const octets = fromHex(digits.length % 2 ? `0${digits}` : digits);
  if (size === undefined) return octets;
  if (octets.length > size) throw new RangeError(`the number does not fit into ${size} octets`);
  return concat(new Uint8Array(size - octets.length), octets);
}
