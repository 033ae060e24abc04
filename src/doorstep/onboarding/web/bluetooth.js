// Reaches a device by Web Bluetooth: write a characteristic, then read the same one (docs/spec/onboarding-protocomm.md).
// The characteristics are found by the names in their descriptions, as every client does.

import { fromUtf8 } from "./bytes.js";
import { SetupFailure } from "./failures.js";

/** The service of local provisioning that our devices show. */
export const SERVICE = "1775244d-6b43-439b-877c-060f2d9bed07";
/** Networks that fit into one characteristic's 512 bytes. */
export const SCAN_PAGE = 4;
const DESCRIPTION = 0x2901;
const REPLY_MS = 40_000;

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
   * Let the person choose a device; must be called from a click. Throws `lost` where none was chosen.
   * @param {string} [name] the label's, where it has one @returns {Promise<BluetoothLink>}
   */
  static async choose(name) {
    const filters = [name ? { name } : { services: [SERVICE] }];
    try {
      return new BluetoothLink(await navigator.bluetooth.requestDevice({ filters, optionalServices: [SERVICE] }));
    } catch {
      throw new SetupFailure("lost", "no device was chosen");
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

  /** One request and its reply. @param {string} endpoint @param {Uint8Array} body @returns {Promise<Uint8Array>} */
  async ask(endpoint, body) {
    if (!this.#server.connected) await this.connect();
    const found = this.#endpoints.get(endpoint);
    if (found === undefined) throw new SetupFailure("not-a-device", `no endpoint ${endpoint}`);
    try {
      await inTime(found.writeValueWithResponse(body));
      const value = await inTime(found.readValue());
      return new Uint8Array(value.buffer, value.byteOffset, value.byteLength).slice();
    } catch {
      // Browsers do not tell a device's refusals apart.
      throw new SetupFailure("lost", `no reply of ${endpoint}`);
    }
  }

  /** @param {BluetoothRemoteGATTCharacteristic} found */
  async #remember(found) {
    try {
      const description = await inTime((await found.getDescriptor(DESCRIPTION)).readValue());
      const octets = new Uint8Array(description.buffer, description.byteOffset, description.byteLength);
      this.#endpoints.set(fromUtf8(octets).replace(/\0+$/, ""), found);
    } catch { /* a characteristic without a name is none of ours */ }
  }
}
