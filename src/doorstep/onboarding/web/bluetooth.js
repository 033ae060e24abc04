// Reaches a device by Web Bluetooth: write a characteristic, then read the same one (docs/spec/onboarding-protocomm.md).
// The characteristics are found by the names in their descriptions, as every client does.

import { concat, fromUtf8 } from "./bytes.js";
import { SetupFailure, malformed } from "./failures.js";
import { MAX_MESSAGE } from "./sec2.js";

/** The service of local provisioning that our devices show. */
export const SERVICE = "1775244d-6b43-439b-877c-060f2d9bed07";
/** Networks that fit into one characteristic's 512 bytes. */
export const SCAN_PAGE = 4;
const DESCRIPTION = 0x2901;
const REPLY_MS = 40_000;
/** Octets of one value; what is longer goes in pieces through an endpoint of our own. */
const MAX_VALUE = 512;
const LONG = "doorstep-long";
const PART = 1;
const GO_ON = 2;

/** @returns {Promise<boolean>} whether this browser can talk to devices by radio, here and now */
export async function bluetoothWorks() {
  if (!("bluetooth" in navigator)) return false;
  try {
    return await navigator.bluetooth.getAvailability();
  } catch {
    return false;
  }
}

/** @template T @param {Promise<T>} work @returns {Promise<T>} throws `lost` where it takes too long */
async function inTime(work) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new SetupFailure("lost", "no answer")), REPLY_MS);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** @param {BluetoothRemoteGATTCharacteristic} found @param {Uint8Array} value */
const write = (found, value) => inTime(found.writeValueWithResponse(value));

/** @param {BluetoothRemoteGATTCharacteristic} found @returns {Promise<Uint8Array>} */
async function read(found) {
  const { buffer, byteOffset, byteLength } = await inTime(found.readValue());
  return new Uint8Array(buffer, byteOffset, byteLength).slice();
}

export class BluetoothLink {
  #device;
  #server;
  #endpoints = new Map();

  /** @param {BluetoothDevice} device */
  constructor(device) {
    if (!device.gatt) throw new SetupFailure("not-a-device", "no GATT server");
    this.#device = device;
    this.#server = device.gatt;
  }

  /**
   * Let the person choose a device; must be called from a click. Throws `not-chosen`.
   * @param {string} [name] the label's, where it has one @returns {Promise<BluetoothLink>}
   */
  static async choose(name) {
    const filters = [name ? { name } : { services: [SERVICE] }];
    try {
      return new BluetoothLink(await navigator.bluetooth.requestDevice({ filters, optionalServices: [SERVICE] }));
    } catch {
      throw new SetupFailure("not-chosen");
    }
  }

  /** @returns {string} what the device calls itself; nobody has checked it */
  get name() {
    return this.#device.name ?? "";
  }

  /** Find the endpoints; again after the device hung up, as it does when its radio hops. */
  async connect() {
    try {
      const server = await inTime(this.#server.connect());
      const service = await inTime(server.getPrimaryService(SERVICE));
      this.#endpoints.clear();
      for (const found of await inTime(service.getCharacteristics())) await this.#remember(found);
    } catch (error) {
      throw error instanceof SetupFailure ? error : new SetupFailure("lost", "no connection");
    }
    if (!this.#endpoints.has("prov-session")) throw new SetupFailure("not-a-device", "no endpoint prov-session");
  }

  close() {
    this.#server.disconnect();
  }

  /**
   * One request and its reply; throws `too-long` on what the device cannot take.
   * @param {string} endpoint @param {Uint8Array} body @returns {Promise<Uint8Array>}
   */
  async ask(endpoint, body) {
    if (!this.#server.connected) await this.connect();
    const found = this.#endpoints.get(endpoint);
    if (found === undefined) throw new SetupFailure("not-a-device", `no endpoint ${endpoint}`);
    const long = this.#endpoints.get(LONG);
    if (body.length > (long ? MAX_MESSAGE : MAX_VALUE)) throw new SetupFailure("too-long", `${body.length} bytes`);
    try {
      await write(found, long ? await this.#sendParts(long, body) : body);
      return await this.#fetch(found, long);
    } catch (error) {
      // Browsers do not tell a device's refusals apart.
      throw error instanceof SetupFailure ? error : new SetupFailure("lost", `no reply of ${endpoint}`);
    }
  }

  /** Send what does not fit into the request's own write; returns what does. @param {BluetoothRemoteGATTCharacteristic} long @param {Uint8Array} body */
  async #sendParts(long, body) {
    const cut = Math.max(0, body.length - MAX_VALUE);
    try {
      for (let at = 0; at < cut; at += MAX_VALUE - 1) {
        await write(long, concat(Uint8Array.of(PART), body.slice(at, Math.min(at + MAX_VALUE - 1, cut))));
      }
    } catch (error) {
      this.close(); // or the device would put these parts before the next request
      throw error;
    }
    return body.slice(cut);
  }

  /** @param {BluetoothRemoteGATTCharacteristic} found @param {BluetoothRemoteGATTCharacteristic | undefined} long */
  async #fetch(found, long) {
    let piece = await read(found);
    let reply = piece;
    while (long && piece.length === MAX_VALUE && reply.length <= MAX_MESSAGE) {
      await write(long, Uint8Array.of(GO_ON, reply.length >> 8, reply.length & 255));
      piece = await read(long);
      reply = concat(reply, piece);
    }
    if (reply.length > MAX_MESSAGE) throw malformed("a reply is too long");
    return reply;
  }

  /** @param {BluetoothRemoteGATTCharacteristic} found */
  async #remember(found) {
    try {
      const { buffer, byteOffset, byteLength } = await inTime((await found.getDescriptor(DESCRIPTION)).readValue());
      const octets = new Uint8Array(buffer, byteOffset, byteLength);
      this.#endpoints.set(fromUtf8(octets).replace(/\0+$/, ""), found);
    } catch { /* a characteristic without a name is none of ours */ }
  }
}
