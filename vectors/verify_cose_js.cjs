// Opens the full encoding of every message in sealed.json with npm cose-js, which knows nothing of Doorstep.
// node verify_cose_js.cjs sealed.json FOLDER-WITH-node_modules; prints one name a line.
'use strict';

const fs = require('fs');
const path = require('path');

const [vectors, modules] = process.argv.slice(2);
const cose = require(path.join(path.resolve(modules), 'node_modules', 'cose-js'));
const bytes = (hex) => Buffer.from(hex, 'hex');

async function main() {
  for (const item of JSON.parse(fs.readFileSync(vectors, 'utf8')).messages) {
    const opened = await cose.encrypt.read(bytes(item.full), bytes(item.key), {
      externalAAD: Buffer.from(item.channel),
      contextIv: bytes(item.base_iv),
    });
    if (opened.toString('hex') !== item.plaintext) throw new Error(`${item.name}: cose-js opens another plaintext`);
    console.log(item.name);
  }
}

main().catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
