// One device over one link: secured, told its network, listened to until it says how that went.

import { SCAN_PAGE } from "../../onboarding/bluetooth.js";
import * as crypto from "../../onboarding/crypto_webcrypto.js";
import { SetupFailure } from "../../onboarding/failures.js";
import { Configurator } from "../../onboarding/protocomm.js";

/** @typedef {import("../../onboarding/bluetooth.js").BluetoothLink} BluetoothLink */

export const JOIN_PATIENCE_MS = 90_000;
const FIRST_PAUSE_MS = 100;
const PAUSE_MS = 1000;
export const UNDECIDED = new Set(["waiting", "trying"]);
/** The device is on the network, whatever comes after. */
export const ONLINE = new Set(["connected", "registering", "registered", "held", "refused", "no-internet", "no-server", "wrong-clock"]);
const LAST = new Set(["registered", "held", "refused"]);
const FAILED = new Set(["wrong-password", "no-such-network", "no-address", "radio-failed"]);
const STRANGER = new Set(["wrong-code", "downgrade", "old-security", "refused"]);

const rest = (pause) => new Promise((resolve) => { setTimeout(resolve, pause); });

/** @param {string} step @returns {boolean} whether nothing comes after it */
export const isLast = (step) => LAST.has(step);

/** Ask `hear` again and again until a step is final or patience ends; a failure is told by whoever called. */
export async function listen(step, until, patience, hear, tell) {
  const deadline = Date.now() + patience;
  for (let pause = FIRST_PAUSE_MS; !until(step) && Date.now() < deadline; pause = Math.min(pause * 2, PAUSE_MS)) {
    tell(step);
    await rest(pause);
    step = await hear(step);
  }
  if (!FAILED.has(step)) tell(step);
  return step;
}

export class DeviceSession {
  #phone;
  #tell;
  /** How the last attempt ended: "failed", "online", or nothing yet. */
  #ended = "";
  #delivered = null;

  /** @param {(key: string) => void} tell hears each step @param {BluetoothLink} link */
  constructor(label, link, tell) {
    this.#phone = new Configurator(label, (endpoint, body) => link.ask(endpoint, body), crypto, SCAN_PAGE);
    this.#tell = tell;
  }

  /** Whether somebody must touch the device before it takes something again. */
  get needsTouch() {
    return false;
  }

  get takesOrders() {
    return this.#phone.takesOrders;
  }

  async open() {
    await this.#phone.find();
    this.#tell("found");
    await this.#phone.secure();
    this.#tell("secured");
  }

  async networks() {
    await this.#secure();
    const found = await this.#phone.networks();
    this.#tell("networks");
    return found;
  }

  /**
   * Have the device join, and hand over the order, once; may be called again after a failure or for another network.
   * @returns {Promise<string>} the step that it came to
   */
  async join(network, order) {
    await this.#secure();
    if (this.#ended === "online") await this.#phone.reprovision();
    if (this.#ended === "failed") await this.#phone.reset();
    this.#ended = "";
    if (this.takesOrders && order !== this.#delivered) await this.#deliver(order);
    await this.#phone.putForward(network);
    this.#ended = "failed";
    const step = await this.#listen("trying", (heard) => !UNDECIDED.has(heard), JOIN_PATIENCE_MS);
    if (ONLINE.has(step)) this.#ended = "online";
    return UNDECIDED.has(step) ? "checking" : step;
  }

  /** Give a device that is on its network another order, which it shows at once. @returns {Promise<string>} */
  async registerAgain(order) {
    await this.#secure();
    await this.#deliver(order);
    return "registering";
  }

  /** Listen on until the device says how its registration ended, or `enough` says so. */
  follow(step, enough, patience) {
    return this.#listen(step, (heard) => isLast(heard) || enough(), patience);
  }

  async #deliver(order) {
    await this.#phone.deliver(order);
    this.#delivered = order;
    this.#tell("delivered");
  }

  async #secure() {
    if (!this.#phone.secured) await this.#phone.secure();
  }

  #listen(step, until, patience) {
    return listen(step, until, patience, (last) => this.#hear(last), this.#tell);
  }

  /** What the device says now, or the last that it said while it is silent. */
  async #hear(step) {
    try {
      await this.#secure();
      return await this.#phone.progress();
    } catch (error) {
      if (!(error instanceof SetupFailure) || STRANGER.has(error.key)) throw error;
      return step;
    }
  }
}
