// Opens the blobs of sealed-credentials.json with npm @hpke/core, makes one of its own, and verifies the
// statements of attestation.json with node:crypto. Knows nothing of Doorstep.
// node verify_singletouch_js.cjs sealed-credentials.json attestation.json FOLDER-WITH-node_modules
// prints one name a line, then "sealed <hex>": a blob for the device of the first file with its first content.
'use strict';

const crypto = require('crypto');
const fs = require('fs');
const path = require('path');

const [sealedFile, attestationFile, modules] = process.argv.slice(2);
const hpke = require(path.join(path.resolve(modules), 'node_modules', '@hpke', 'core'));
const bytes = (hex) => Buffer.from(hex, 'hex');
const read = (file) => JSON.parse(fs.readFileSync(file, 'utf8'));
const HEADER = 26;
const ENC = 65;

const suite = new hpke.CipherSuite({
  kem: new hpke.DhkemP256HkdfSha256(),
  kdf: new hpke.HkdfSha256(),
  aead: new hpke.Aes128Gcm(),
});

async function openBlobs(document) {
  const recipientKey = await suite.kem.importKey('raw', bytes(document.private_key), false);
  const info = Buffer.from(document.info);
  for (const item of document.blobs) {
    const blob = bytes(item.blob);
    const enc = blob.subarray(HEADER, HEADER + ENC);
    const context = await suite.createRecipientContext({ recipientKey, enc, info });
    const opened = await context.open(blob.subarray(HEADER + ENC), blob.subarray(0, HEADER));
    if (Buffer.from(opened).toString('hex') !== item.content) throw new Error(`${item.name}: another content`);
    if (blob.toString('base64url') !== item.text) throw new Error(`${item.name}: another text`);
    console.log(item.name);
  }
}

async function sealBlob(document) {
  const [item] = document.blobs;
  const header = Buffer.from(item.aad, 'hex');
  crypto.randomBytes(16).copy(header, 6);
  const recipientPublicKey = await suite.kem.importKey('raw', bytes(document.public_key), true);
  const sender = await suite.createSenderContext({ recipientPublicKey, info: Buffer.from(document.info) });
  const ciphertext = Buffer.from(await sender.seal(bytes(item.content), header));
  console.log(`sealed ${Buffer.concat([header, Buffer.from(sender.enc), ciphertext]).toString('hex')}`);
}

// COSE_Sign1 in the one form that docs/spec/statement.md allows: d2 84 43 a10126 a0 <payload> 58 40 <signature>
function parts(statement) {
  if (statement.subarray(0, 7).toString('hex') !== 'd28443a10126a0') throw new Error('not a COSE_Sign1 with ES256');
  const signature = statement.subarray(-64);
  return { payload: statement.subarray(7, -66), signature };
}

function sigStructure(context, payload) {
  const head = Buffer.from('846a5369676e61747572653143a10126', 'hex');
  const external = Buffer.concat([Buffer.from([0x58, context.length]), context]);
  return Buffer.concat([head, external, payload]);
}

function verifyStatements(document) {
  const point = bytes(document.public_key);
  const [x, y] = [point.subarray(1, 33), point.subarray(33)].map((half) => half.toString('base64url'));
  const key = crypto.createPublicKey({ key: { kty: 'EC', crv: 'P-256', x, y }, format: 'jwk' });
  const sha = (...data) => crypto.createHash('sha256').update(Buffer.concat(data)).digest();
  for (const item of document.conversations) {
    const transcript = sha(Buffer.from('doorstep transcript 1'), bytes(item.session), bytes(item.nonce), bytes(item.device_nonce));
    if (transcript.toString('hex') !== item.transcript) throw new Error(`${item.name}: another transcript`);
    const number = sha(Buffer.from('doorstep pattern 1'), transcript).readUInt32BE(0) % 216;
    const pattern = [Math.floor(number / 36) + 1, (Math.floor(number / 6) % 6) + 1, (number % 6) + 1];
    if (pattern.join() !== item.pattern.join()) throw new Error(`${item.name}: another pattern`);
    const { payload, signature } = parts(bytes(item.statement));
    if (!payload.includes(transcript)) throw new Error(`${item.name}: the transcript is not in the statement`);
    const signed = sigStructure(Buffer.from(document.context), payload);
    const holds = crypto.verify('sha256', signed, { key, dsaEncoding: 'ieee-p1363' }, signature);
    if (!holds) throw new Error(`${item.name}: the signature does not hold`);
    console.log(item.name);
  }
}

async function main() {
  const document = read(sealedFile);
  await openBlobs(document);
  verifyStatements(read(attestationFile));
  await sealBlob(document);
}

main().catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
