// A device that takes sealed credentials by radio: the same doings as session.js, without a code and a session.

import { fromUtf8, utf8 } from "../../onboarding/bytes.js";
import { SetupFailure } from "../../onboarding/failures.js";
import { STAGES } from "../../onboarding/protocomm.js";
import { sealCredentials } from "../../onboarding/sealed.js";
import { releaseOf } from "./platform.js";
import { ToldProblem } from "./view.js";
import { JOIN_PATIENCE_MS, UNDECIDED, isLast, listen } from "./session.js";
import { said } from "./words.js";

const ENDPOINT = "doorstep-sealed";

/** @param {Uint8Array} data @returns {{stage: string, pairing: boolean}} a stage that is unknown is "trying" */
function statusOf(data) {
  try {
    const { stage, pairing } = JSON.parse(fromUtf8(data));
    return { stage: STAGES.includes(stage) ? stage : "trying", pairing };
  } catch {
    throw new SetupFailure("malformed", "the status is no status");
  }
}

export class SealedSession {
  #link;
  #device;
  #tell;
  #network = null;

  /** @param {{deviceId: string, publicKey: Uint8Array}} device as the platform recorded it */
  constructor(device, link, tell) {
    this.#device = device;
    this.#link = link;
    this.#tell = tell;
  }

  /** A sealed blob goes one way: the device tells nobody what it hears. */
  async networks() {
    return [];
  }

  /** Whether somebody must touch the device before it takes something again. */
  get needsTouch() {
    return true;
  }

  async join(network, order) {
    this.#network = network;
    const first = await this.#bring(order);
    const step = await this.#listen(first, (heard) => !UNDECIDED.has(heard), JOIN_PATIENCE_MS);
    return UNDECIDED.has(step) ? "checking" : step;
  }

  /** Give a device that is on its network another order, which it shows at once. @returns {Promise<string>} */
  async registerAgain(order) {
    await this.#bring(order);
    return "registering";
  }

  follow(step, enough, patience) {
    return this.#listen(step, (heard) => isLast(heard) || enough(), patience);
  }

  /** @returns {Promise<string>} the stage that the device answers */
  async #bring(order) {
    if (!(await this.#status()).pairing) {
      throw new ToldProblem(said("Nobody has pressed the button of this device."), said("Press it, or switch the device off and on, and try again."));
    }
    const content = { networks: [this.#network], order, release: await releaseOf(this.#device) };
    const blob = await sealCredentials(this.#device, content, order.expires);
    return statusOf(await this.#link.ask(ENDPOINT, blob)).stage;
  }

  async #status() {
    return statusOf(await this.#link.ask(ENDPOINT, utf8("?")));
  }

  #listen(step, until, patience) {
    return listen(step, until, patience, (last) => this.#hear(last), this.#tell);
  }

  async #hear(step) {
    try {
      return (await this.#status()).stage;
    } catch (error) {
      if (!(error instanceof SetupFailure)) throw error;
      return step;
    }
  }
}
