// `node driver.mjs SCRIPTS`: jobs and replies come in as lines of JSON, questions and results go out.
// A job: {label, crypto, steps: [[name, ...arguments]]}; octets are hexadecimal. Or {characteristics, endpoint, body}: one
// request over Bluetooth, whose writes and reads become questions, "write" or "read" before the characteristic's name.

import { createInterface } from "node:readline";

const scripts = process.argv[2];
const load = (name) => import(`${scripts}/${name}.js`);
const { fromHex, toHex, utf8 } = await load("bytes");
const { labelOf } = await load("label");
const { Configurator } = await load("protocomm");
const { blobText, sealCredentials } = await load("sealed");
const { SetupFailure } = await load("failures");
const { BluetoothLink } = await load("bluetooth");
const libraries = { plain: await load("crypto_plain"), webcrypto: await load("crypto_webcrypto") };
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const say = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);

async function ask(endpoint, body) {
  say({ endpoint, body: toHex(body) });
  const answer = JSON.parse((await lines.next()).value);
  if ("lost" in answer) throw new SetupFailure("lost", answer.lost);
  return fromHex(answer.reply);
}

const STEPS = {
  find: async (phone) => { await phone.find(); return phone.takesOrders; },
  secure: async (phone) => { await phone.secure(); return phone.secured; },
  networks: async (phone) => (await phone.networks()).map((entry) => ({ ...entry, ssid: toHex(entry.ssid), bssid: toHex(entry.bssid) })),
  deliver: (phone, token, server, alias) => phone.deliver({ token: fromHex(token), server, alias }),
  putForward: (phone, ssid, passphrase) => phone.putForward({ ssid: fromHex(ssid), passphrase: fromHex(passphrase) }),
  progress: (phone) => phone.progress(),
  seal: async (_, deviceId, publicKey, networks, order, expires) => {
    const pairs = networks.map(([ssid, passphrase]) => ({ ssid: fromHex(ssid), passphrase: fromHex(passphrase) }));
    const [token, server, alias] = order;
    return blobText(await sealCredentials({ deviceId, publicKey: fromHex(publicKey) }, { networks: pairs, order: { token: utf8(token), server, alias } }, expires));
  },
  reset: (phone) => phone.reset(),
  reprovision: (phone) => phone.reprovision(),
};

async function run({ label, crypto, steps }) {
  const phone = new Configurator(labelOf(label), ask, libraries[crypto]);
  const results = [];
  for (const [name, ...values] of steps) {
    try {
      results.push({ learnt: (await STEPS[name](phone, ...values)) ?? null, secured: phone.secured });
    } catch (error) {
      if (!(error instanceof SetupFailure)) throw error;
      results.push({ failure: error.key, secured: phone.secured });
    }
  }
  return results;
}

const valueOf = (octets) => new DataView(octets.buffer, octets.byteOffset, octets.byteLength);

/** What a browser shows of one characteristic. */
function characteristic(name) {
  return {
    getDescriptor: async () => ({ readValue: async () => valueOf(utf8(name)) }),
    writeValueWithResponse: async (value) => { await ask(`write ${name}`, value); },
    readValue: async () => valueOf(await ask(`read ${name}`, new Uint8Array())),
  };
}

/** What a browser shows of one device. */
function deviceOf(names) {
  const service = { getCharacteristics: async () => names.map(characteristic) };
  const gatt = {
    connected: false,
    connect: async () => { gatt.connected = true; return { getPrimaryService: async () => service }; },
    disconnect: () => { gatt.connected = false; },
  };
  return { name: "PROV_1", gatt };
}

async function exchange({ characteristics, endpoint, body }) {
  const device = deviceOf(characteristics);
  const result = {};
  try {
    result.learnt = toHex(await new BluetoothLink(device).ask(endpoint, fromHex(body)));
  } catch (error) {
    if (!(error instanceof SetupFailure)) throw error;
    result.failure = error.key;
  }
  return [{ ...result, connected: device.gatt.connected }];
}

for (let line = await lines.next(); !line.done; line = await lines.next()) {
  const job = JSON.parse(line.value);
  say({ results: await ("characteristics" in job ? exchange(job) : run(job)) });
}
