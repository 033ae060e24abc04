// Known answers for the browser's side of onboarding: `node --test known_answers.mjs SCRIPTS VECTORS`.

import assert from "node:assert/strict";
import { createCipheriv, createHash, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { test } from "node:test";

const [scripts, vectors] = [process.env.DOORSTEP_TEST_SCRIPTS, process.env.DOORSTEP_TEST_VECTORS];
const load = (name) => import(`${scripts}/${name}.js`);
const { concat, equal, fromBase64url, fromBigInt, fromHex, shown, toBase64url, toBigInt, toHex, utf8 } = await load("bytes");
const libraries = { plain: await load("crypto_plain"), webcrypto: await load("crypto_webcrypto") };
const { PRIME, agree, drawKeyPair } = await load("srp6a");
const { LockstepGcm, handshake } = await load("sec2");
const { parse, putInt, putMessage, putOctets, putUint } = await load("protobuf");
const { STAGES, checkNetwork, parseCapabilities } = await load("protocomm");
const { labelOf, parseLabel, typedLabel } = await load("label");
const { attest } = await load("attestation");
const { spokenCode, spokenSerial } = await load("spoken");
const { pairOf } = await load("hpke");
const { blobLink, blobText, sealCredentials } = await load("sealed");
const stored = JSON.parse(readFileSync(`${vectors}/onboarding.json`, "utf8"));
const value = Object.fromEntries(Object.entries(stored.handshake).map(([name, text]) => [name, name === "username" || name === "code" ? text : fromHex(text)]));
const failing = (key) => (error) => error.name === "SetupFailure" && error.key === key;

for (const [name, crypto] of Object.entries(libraries)) {
  const fixed = { ...crypto, random: () => value.a.slice() };

  test(`${name}: digests equal the platform's at every length around a block`, async () => {
    for (const length of [0, 1, 55, 56, 63, 64, 65, 111, 112, 119, 120, 127, 128, 129, 1000]) {
      const data = new Uint8Array(randomBytes(length));
      assert.equal(toHex(await crypto.sha256(data)), createHash("sha256").update(data).digest("hex"));
      assert.equal(toHex(await crypto.sha512(data)), createHash("sha512").update(data).digest("hex"));
    }
  });

  test(`${name}: GCM equals the platform's, for both key sizes, with and without more data`, async () => {
    for (const [size, length, more] of [[32, 0, 0], [32, 5, 0], [32, 16, 3], [16, 17, 16], [32, 4080, 40], [16, 33, 0]]) {
      const [key, nonce, plain, aad] = [size, 12, length, more].map((count) => new Uint8Array(randomBytes(count)));
      const cipher = createCipheriv(`aes-${size * 8}-gcm`, key, nonce).setAAD(aad);
      const expected = concat(cipher.update(plain), cipher.final(), cipher.getAuthTag());
      assert.equal(toHex(await crypto.sealGcm(key, nonce, plain, aad)), toHex(expected));
      assert.equal(toHex(await crypto.openGcm(key, nonce, expected, aad)), toHex(plain));
      for (const at of [0, expected.length - 1]) {
        const changed = expected.slice();
        changed[at] ^= 1;
        assert.equal(await crypto.openGcm(key, nonce, changed, aad), null);
      }
      assert.equal(await crypto.openGcm(key, nonce, expected.slice(0, 15), aad), null);
    }
  });

  test(`${name}: one agreement gives every stored value`, async () => {
    const mine = drawKeyPair(fixed);
    assert.equal(toHex(mine.publicValue), toHex(value.A));
    const agreed = await agree(crypto, value.username, value.code, value.salt, mine, value.B);
    assert.deepEqual([agreed.key, agreed.userProof, agreed.deviceProof].map(toHex), [value.K, value.M1, value.M2].map(toHex));
  });

  test(`${name}: the stored messages pass, and the next three`, async () => {
    const sent = [];
    const replies = [stored.messages.response0, stored.messages.response1].map(fromHex);
    const session = await handshake(async (endpoint, body) => { sent.push([endpoint, toHex(body)]); return replies.shift(); }, value.username, value.code, fixed);
    assert.deepEqual(sent, [["prov-session", stored.messages.command0], ["prov-session", stored.messages.command1]]);
    const [first, second, third] = stored.sealed;
    assert.equal(toHex(await session.seal(fromHex(first.plaintext))), first.sealed);
    assert.equal(toHex(await session.open(fromHex(second.sealed))), second.plaintext);
    assert.equal(toHex(await session.seal(fromHex(third.plaintext))), third.sealed);
  });

  test(`${name}: a B that needs no code is refused before any proof is sent`, async () => {
    const [n, twice] = [fromBigInt(PRIME, 384), fromBigInt(2n * PRIME)];
    for (const [b, key] of [[Uint8Array.of(0), "forged"], [new Uint8Array(384), "forged"], [n, "forged"], [twice, "malformed"], [new Uint8Array(), "malformed"]]) {
      let asked = 0;
      const reply = concat(putUint(2, 2), putMessage(12, concat(putUint(1, 1), putMessage(21, concat(putOctets(2, b), putOctets(3, value.salt))))));
      await assert.rejects(handshake(async () => { asked += 1; return reply; }, "u", "c", crypto), failing(key));
      assert.equal(asked, 1);
    }
  });

  test(`${name}: what is replayed, reflected or cut ends the session for good`, async () => {
    const fresh = () => new LockstepGcm(crypto, value.K.slice(0, 32), value.nonce);
    for (const spoil of [(sealed) => sealed.slice(0, -1), () => new Uint8Array(), (sealed) => concat(sealed, Uint8Array.of(0))]) {
      const [device, phone] = [fresh(), fresh()];
      const sealed = await device.seal(utf8("reply"));
      await assert.rejects(phone.open(spoil(sealed)), failing("forged"));
      await assert.rejects(phone.open(sealed), failing("no-session"));
      await assert.rejects(phone.seal(utf8("more")), failing("no-session"));
    }
    const [device, phone] = [fresh(), fresh()];
    const first = await device.seal(utf8("one"));
    assert.equal(toHex(await phone.open(first)), toHex(utf8("one")));
    await assert.rejects(phone.open(first), failing("forged"));
    const alone = fresh();
    await assert.rejects(alone.open(await alone.seal(utf8("mirror"))), failing("forged"));
  });

  test(`${name}: the counter never wraps, and turns never overlap`, async () => {
    const last = concat(value.nonce.slice(0, 8), Uint8Array.of(255, 255, 255, 255));
    const session = new LockstepGcm(crypto, value.K.slice(0, 32), last);
    await session.seal(utf8("last"));
    await assert.rejects(session.seal(utf8("one too many")), failing("no-session"));
    const hasty = new LockstepGcm(crypto, value.K.slice(0, 32), value.nonce);
    const both = await Promise.allSettled([hasty.seal(utf8("a")), hasty.seal(utf8("b"))]);
    assert.ok(both.some((one) => one.status === "rejected"));
    await assert.rejects(hasty.seal(utf8("c")), failing("no-session"));
  });
}

test("a public value that starts with a zero byte is drawn again", () => {
  const draws = [];
  let small;
  for (let number = 0n; small === undefined; number += 1n) {
    const candidate = fromBigInt((1n << 255n) + number, 32);
    const { publicValue } = drawKeyPair({ random: () => (draws.push(1), draws.length % 2 ? candidate.slice() : value.a.slice()) });
    assert.notEqual(publicValue[0], 0);
    if (draws.length % 2 === 0) small = candidate;
    if (draws.length % 2) draws.pop();
    if (number > 4000n) assert.fail("no such exponent found");
  }
});

test("names of networks can neither hide nor turn what stands beside them", () => {
  assert.equal(shown(utf8("Café ☕")), "Café ☕");
  assert.equal(shown(utf8("a\u202eb\u0007c\u2028d")), "a\ufffdb\ufffdc\ufffdd");
  assert.equal(shown(fromHex("ff00")), "\\xff\\x00");
});

test("octets survive their texts, and texts that are none are refused", () => {
  for (let length = 0; length < 40; length += 1) {
    const octets = new Uint8Array(randomBytes(length));
    assert.ok(equal(fromHex(toHex(octets)), octets));
    assert.ok(equal(fromBase64url(toBase64url(octets)), octets));
    assert.equal(toBase64url(octets), Buffer.from(octets).toString("base64url"));
    assert.ok(equal(fromBigInt(toBigInt(octets), length), octets));
  }
  for (const text of ["a", "a+b/", "abc=", "a b", "ü"]) assert.throws(() => fromBase64url(text), TypeError);
  for (const text of ["a", "0x12", "gg"]) assert.throws(() => fromHex(text), TypeError);
  assert.throws(() => fromBigInt(256n, 1), RangeError);
  assert.equal(equal(Uint8Array.of(1), Uint8Array.of(1, 0)), false);
  assert.equal(equal(Uint8Array.of(1, 0), Uint8Array.of(1)), false);
});

const NONSENSE = {
  "varint cut off": "0882", "varint that never ends": "08ffffffffffffffffffff01", "varint longer than needed": "088200",
  "varint of 65 bits": "08ffffffffffffffffff02", "field number 0": "0001", "a group": "0b0c", "wire type 7": "0f00",
  "ends after the message": "0a0500", "size of 2^63": "0affffffffffffffff7f", "fixed64 cut": "0900",
};
for (const [name, hex] of Object.entries(NONSENSE)) {
  test(`protobuf refuses: ${name}`, () => assert.throws(() => parse(fromHex(hex), 100), failing("malformed")));
}

test("protobuf reads what it writes and skips what it does not know", () => {
  const message = concat(putUint(1, 300), putInt(3, -70), putOctets(2, utf8("ß")), putMessage(9, putUint(1, true)), putMessage(9, new Uint8Array()), fromHex("3d01020304410102030405060708"));
  const fields = parse(message, 100);
  assert.equal(fields.uint(1), 300);
  assert.equal(fields.int32(3), -70);
  assert.equal(fields.text(2, 2), "ß");
  assert.deepEqual(fields.messages(9).map((inner) => inner.uint(1)), [1, 0]);
  assert.equal(fields.uint(5), 0);
  assert.equal(putUint(1, 0).length + putInt(1, 0).length, 0);
  for (const refused of [() => fields.uint(1, 299), () => fields.uint(2), () => fields.int32(2), () => fields.octets(1, 9), () => fields.octets(2, 1),
    () => fields.message(1), () => fields.message(6), () => fields.message(9), () => parse(putUint(1, 1), 100).messages(1), () => parse(message, 10),
    () => parse(putOctets(1, fromHex("ff")), 9).text(1, 9), () => parse(fromHex("08808080801f"), 9).uint(1), () => parse(fromHex("18808080800f"), 9).int32(3)]) {
    assert.throws(refused, failing("malformed"));
  }
});

const LABEL = { ver: "v1", name: "PROV_1", username: "doorstep", pop: "abcd", transport: "ble", security: 2, password: "geheim12", network: "wifi" };
test("labels are read as the platform prints them", () => {
  assert.deepEqual(labelOf(` ${JSON.stringify(LABEL)}`), { name: "PROV_1", username: "doorstep", pop: "abcd", transport: "ble", security: 2, password: "geheim12" });
  assert.equal(parseLabel('{"ver":"v1","name":"a","transport":"softap","pop":"x","username":"u"}').security, 2);
  assert.deepEqual(labelOf(" ABCD efgh\nijkl m "), { ...typedLabel("abcdefghijklm") });
  assert.deepEqual(labelOf(JSON.stringify({ ...LABEL, oob: "A".repeat(52) })), labelOf(JSON.stringify(LABEL)));
  assert.equal(typedLabel("x").username, "doorstep");
});
const USELESS = {
  "no JSON": "{", "a list": "[]", "nothing": "null", "unknown entry": { more: "x" }, "text for a number": { security: "2" }, "number for a text": { pop: 7 },
  "other version": { ver: "v2" }, "no name": { name: "" }, "name of 33 bytes": { name: "ü".repeat(17) }, "other transport": { transport: "wire" },
  "security 3": { security: 3 }, "half a security": { security: 1.5 }, "no code": { pop: "" }, "no user name": { username: "" }, "long code": { pop: "x".repeat(65) },
  "inherited entry": '{"ver":"v1","name":"a","transport":"ble","toString":"x"}', "no version": '{"name":"a","transport":"ble"}', "too long": `{"ver":"${"v".repeat(1024)}"}`,
};
for (const [name, change] of Object.entries(USELESS)) {
  test(`label refused: ${name}`, () => {
    const text = typeof change === "string" ? change : JSON.stringify({ ...LABEL, ...change });
    assert.throws(() => parseLabel(text), failing("bad-label"));
  });
}
test("an empty typed code is refused", () => {
  for (const code of ["", "  ", "x".repeat(65)]) assert.throws(() => labelOf(code), failing("bad-label"));
});

test("descriptions of devices are read, and nonsense is refused", () => {
  const read = (text) => parseCapabilities(utf8(text));
  assert.deepEqual(read("v1.1"), { security: null, patch: 0, caps: [], own: null });
  assert.deepEqual(read('{"prov":{"ver":"v1.1","sec_ver":2,"sec_patch_ver":1,"cap":["wifi_scan",3]},"doorstep":{"ver":"1","cap":["stage"]}}'),
    { security: 2, patch: 1, caps: ["wifi_scan"], own: ["stage"] });
  assert.deepEqual(read('{"prov":{"cap":{}},"doorstep":"x"}'), { security: null, patch: 0, caps: [], own: null });
  for (const text of ["{}", "[]", "null", '{"prov":[]}', '{"prov":{"sec_ver":"2"}}', '{"prov":{"sec_ver":2,"sec_patch_ver":null}}', `{"prov":{"ver":"${"x".repeat(4096)}"}}`]) {
    assert.throws(() => read(text), failing("malformed"), text);
  }
});

test("networks that cannot exist are refused before anything is sent", () => {
  const network = (ssid, passphrase) => ({ ssid: utf8(ssid), passphrase: utf8(passphrase) });
  for (const fine of [["", ""], ["x".repeat(32), "8 chars!"], ["a", "p".repeat(63)], ["a", "0aF9".repeat(16)]]) checkNetwork(network(...fine));
  for (const bad of [["x".repeat(33), ""], ["ü".repeat(17), ""], ["a", "7 chars"], ["a", "g".repeat(64)], ["a", "a".repeat(65)]]) {
    assert.throws(() => checkNetwork(network(...bad)), failing("bad-network"));
  }
});

test("the stages have the platform's names", () => assert.deepEqual(STAGES, JSON.parse(process.env.DOORSTEP_TEST_STAGES)));

const sealed = JSON.parse(readFileSync(`${vectors}/sealed-credentials.json`, "utf8"));
const device = { deviceId: sealed.device, publicKey: fromHex(sealed.public_key) };

async function pairOfHex(secret, point) {
  const [x, y] = [point.slice(1, 33), point.slice(33)].map(toBase64url);
  const jwk = { kty: "EC", crv: "P-256", x, y, d: toBase64url(fromHex(secret)) };
  return pairOf(await globalThis.crypto.subtle.importKey("jwk", jwk, { name: "ECDH", namedCurve: "P-256" }, false, ["deriveBits"]), point);
}

for (const one of sealed.blobs) {
  test(`sealed as stored: ${one.name}`, async () => {
    const networks = one.networks.map(({ ssid, passphrase }) => ({ ssid: fromHex(ssid), passphrase: fromHex(passphrase) }));
    const order = one.order && { ...one.order, token: utf8(one.order.token) };
    const known = { nonce: fromHex(one.nonce), ephemeral: await pairOfHex(one.ephemeral_private_key, fromHex(one.blob).slice(26, 91)) };
    const blob = await sealCredentials(device, { networks, order, release: one.release && fromHex(one.release) }, one.expires, known);
    assert.equal(toHex(blob), one.blob);
    assert.equal(blobText(blob), one.text);
    assert.equal(blobLink(one.text, "http://192.168.4.1/"), `http://192.168.4.1/#sealed=${one.text}`);
  });
}

test("nothing is sealed for what is no device, no key or no network", async () => {
  const network = { ssid: utf8("a"), passphrase: utf8("12345678") };
  const seal = (change, networks = [network]) => sealCredentials({ ...device, ...change }, { networks }, 1);
  for (const deviceId of ["", "binsypk", "BINSYPKO", "binsypk1", "binsypkoo"]) await assert.rejects(seal({ deviceId }), failing("malformed"));
  for (const networks of [[], Array(5).fill(network), [{ ...network, passphrase: utf8("short") }]]) await assert.rejects(seal({}, networks), failing("bad-network"));
  await assert.rejects(seal({ publicKey: device.publicKey.slice(1) }), TypeError);
  const off = device.publicKey.slice();
  off[64] ^= 1;
  await assert.rejects(seal({ publicKey: off }));
  const two = [await seal({}), await seal({})].map((blob) => toHex(blob.slice(6, 22)) + toHex(blob.slice(26, 91)));
  assert.notEqual(two[0], two[1]);
});

const attestations = JSON.parse(readFileSync(`${vectors}/attestation.json`, "utf8"));
for (const one of attestations.conversations.filter((conversation) => conversation.handshake.length === 0)) {
  test(`attestation as stored: ${one.name}`, async () => {
    const asked = [];
    const replies = [one.device_nonce, one.statement].map(fromHex);
    const ask = async (endpoint, body) => { asked.push([endpoint, toHex(body)]); return replies.shift(); };
    const crypto = { ...libraries.webcrypto, random: () => fromHex(one.nonce) };
    const { statement, transcript, pattern } = await attest(ask, fromHex(one.challenge), crypto);
    assert.deepEqual(asked, one.requests.map((request) => ["doorstep-attest", request]));
    assert.deepEqual([toHex(statement), toHex(transcript), pattern], [one.statement, one.transcript, one.pattern]);
  });
}

test("a device's nonce of another size is refused", async () => {
  for (const size of [0, 31, 33]) {
    await assert.rejects(attest(async () => new Uint8Array(size), new Uint8Array(32), libraries.webcrypto), failing("malformed"));
  }
});

test("codes and serials are understood as people say them", () => {
  for (const [said, code] of [
    ["abcd efgh", "abcdefgh"], [" a B c, 7 ", "aBc7"], ["Alfa Bravo seven X-ray.", "ab7x"], ["x ray is no word", "xrayisnoword"],
    ["papa abcd", "papaabcd"], ["papa", "papa"], ["papa golf", "pg"], ["zwei null, drei 45", "20345"], ["", ""], ["1234-5678", "1234-5678"],
  ]) assert.equal(spokenCode(said), code, said);
  for (const [said, serial] of [
    ["SN dash 2026 dash zero zero one.", "SN-2026-001"], ["2 0 2 6 - D O R H", "2026-DORH"], ["GH-00001", "GH-00001"],
    ["golf hotel hyphen five", "gh-5"], ["Constructor", "Constructor"],
  ]) assert.equal(spokenSerial(said), serial, said);
});
