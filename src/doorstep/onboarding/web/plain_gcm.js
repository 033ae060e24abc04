// AES (FIPS 197) and GCM (NIST SP 800-38D) for pages without WebCrypto: 12-byte nonces, 16-byte tags.

import { concat, equal } from "./bytes.js";

const BLOCK = 16;
const POLYNOMIAL = 0x11b;
/** The reduction of GHASH, section 6.3. */
const R = 0xe1;

/** Multiply by x in AES's field. @param {number} octet @returns {number} */
function double(octet) {
  return octet & 0x80 ? (octet << 1) ^ POLYNOMIAL : octet << 1;
}

/** The S-box: inverse in the field, then the affine map, section 5.1.1. @returns {Uint8Array} */
function makeBox() {
  const powers = [1];
  for (let last = 1; powers.length < 255; powers.push(last)) last ^= double(last);
  const box = new Uint8Array(256);
  for (let octet = 0; octet < 256; octet += 1) {
    const inverse = octet ? powers[(255 - powers.indexOf(octet)) % 255] : 0;
    const spread = inverse | (inverse << 8);
    box[octet] = inverse ^ (spread >> 4) ^ (spread >> 5) ^ (spread >> 6) ^ (spread >> 7) ^ 0x63;
  }
  return box;
}

const BOX = makeBox();

/** Round keys, one after another, section 5.2. @param {Uint8Array} key @returns {Uint8Array} */
function expand(key) {
  const words = key.length / 4;
  const round = new Uint8Array((words + 7) * BLOCK);
  round.set(key);
  let constant = 1;
  for (let word = words; word < round.length / 4; word += 1) {
    let last = [...round.subarray(word * 4 - 4, word * 4)];
    if (word % words === 0) {
      last = [last[1], last[2], last[3], last[0]].map((octet) => BOX[octet]);
      last[0] ^= constant;
      constant = double(constant);
    } else if (words > 6 && word % words === 4) last = last.map((octet) => BOX[octet]);
    for (let at = 0; at < 4; at += 1) round[word * 4 + at] = round[(word - words) * 4 + at] ^ last[at];
  }
  return round;
}

/** @param {Uint8Array} round keys @param {Uint8Array} block @returns {Uint8Array} */
function encrypt(round, block) {
  const rounds = round.length / BLOCK - 1;
  let state = block.map((octet, at) => octet ^ round[at]);
  for (let turn = 1; turn <= rounds; turn += 1) {
    const shifted = state.map((_, at) => BOX[state[(at + 4 * (at % 4)) % BLOCK]]);
    const mixed = turn === rounds ? shifted : shifted.map((octet, at) => {
      const column = at - (at % 4);
      const [next, third, fourth] = [1, 2, 3].map((by) => shifted[column + ((at + by) % 4)]);
      return double(octet) ^ double(next) ^ next ^ third ^ fourth;
    });
    state = mixed.map((octet, at) => octet ^ round[turn * BLOCK + at]);
  }
  return state;
}

/** Multiply in GHASH's field, algorithm 1. @param {Uint8Array} one @param {Uint8Array} other @returns {Uint8Array} */
function multiply(one, other) {
  const product = new Uint8Array(BLOCK);
  const moving = other.slice();
  for (let bit = 0; bit < 128; bit += 1) {
    if ((one[bit >> 3] >> (7 - (bit & 7))) & 1) for (let at = 0; at < BLOCK; at += 1) product[at] ^= moving[at];
    const lost = moving[BLOCK - 1] & 1;
    for (let at = BLOCK - 1; at > 0; at -= 1) moving[at] = (moving[at] >> 1) | ((moving[at - 1] & 1) << 7);
    moving[0] = (moving[0] >> 1) ^ (lost ? R : 0);
  }
  return product;
}

/** @param {Uint8Array} data @returns {Uint8Array} filled up with zeros to whole blocks */
function padded(data) {
  return concat(data, new Uint8Array((BLOCK - (data.length % BLOCK)) % BLOCK));
}

/** @param {Uint8Array} subkey @param {Uint8Array} aad @param {Uint8Array} sealed @returns {Uint8Array} */
function ghash(subkey, aad, sealed) {
  const sizes = new DataView(new ArrayBuffer(BLOCK));
  sizes.setUint32(4, aad.length * 8);
  sizes.setUint32(12, sealed.length * 8);
  const data = concat(padded(aad), padded(sealed), new Uint8Array(sizes.buffer));
  let state = new Uint8Array(BLOCK);
  for (let at = 0; at < data.length; at += BLOCK) {
    state = multiply(state.map((octet, index) => octet ^ data[at + index]), subkey);
  }
  return state;
}

/** @param {Uint8Array} nonce @param {number} counter @returns {Uint8Array} */
function counterBlock(nonce, counter) {
  const block = new Uint8Array(BLOCK);
  block.set(nonce);
  new DataView(block.buffer).setUint32(12, counter);
  return block;
}

/** @param {Uint8Array} round @param {Uint8Array} nonce @param {Uint8Array} data @returns {Uint8Array} */
function stream(round, nonce, data) {
  const out = data.slice();
  for (let at = 0; at < data.length; at += BLOCK) {
    const key = encrypt(round, counterBlock(nonce, at / BLOCK + 2));
    for (let index = at; index < Math.min(at + BLOCK, data.length); index += 1) out[index] ^= key[index - at];
  }
  return out;
}

/** @param {Uint8Array} round @param {Uint8Array} nonce @param {Uint8Array} sealed @param {Uint8Array} aad */
function tagOf(round, nonce, sealed, aad) {
  const hash = ghash(encrypt(round, new Uint8Array(BLOCK)), aad, sealed);
  const mask = encrypt(round, counterBlock(nonce, 1));
  return hash.map((octet, at) => octet ^ mask[at]);
}

/** @param {Uint8Array} key @param {Uint8Array} nonce @param {Uint8Array} plain @param {Uint8Array} aad @returns {Uint8Array} */
export function gcmSeal(key, nonce, plain, aad) {
  const round = expand(key);
  const sealed = stream(round, nonce, plain);
  return concat(sealed, tagOf(round, nonce, sealed, aad));
}

/** @param {Uint8Array} key @param {Uint8Array} nonce @param {Uint8Array} sealed @param {Uint8Array} aad @returns {Uint8Array | null} */
export function gcmOpen(key, nonce, sealed, aad) {
  if (sealed.length < BLOCK) return null;
  const round = expand(key);
  const body = sealed.slice(0, -BLOCK);
  if (!equal(tagOf(round, nonce, body, aad), sealed.slice(-BLOCK))) return null;
  return stream(round, nonce, body);
}
