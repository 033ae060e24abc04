// A device that takes sealed credentials by radio: the same doings as session.js, without a code and a session.

import { fromUtf8, utf8 } from "../../onboarding/bytes.js";
import { SetupFailure } from "../../onboarding/failures.js";
import { STAGES } from "../../onboarding/protocomm.js";
import { sealCredentials } from "../../onboarding/sealed.js";
import { releaseOf } from "./platform.js";
import { JOIN_PATIENCE_MS, UNDECIDED, isLast, listen } from "./session.js";

const ENDPOINT = "doorstep-sealed";

/** @param {Uint8Array} data @returns {string} the device's stage; one that is unknown is "trying" */
function stageOf(data) {
  try {
    const { stage } = JSON.parse(fromUtf8(data));
    return STAGES.includes(stage) ? stage : "trying";
  } catch {
    throw new SetupFailure("malformed", "the status is no status");
  }
}

export class SealedSession {
  #link;
  #device;
  #tell;

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

  async join(network, order) {
    const blob = await sealCredentials(this.#device, { networks: [network], order, release: await releaseOf(this.#device) }, order.expires);
    const first = stageOf(await this.#link.ask(ENDPOINT, blob));
    const step = await this.#listen(first, (heard) => !UNDECIDED.has(heard), JOIN_PATIENCE_MS);
    return UNDECIDED.has(step) ? "checking" : step;
  }

  follow(step, enough, patience) {
    return this.#listen(step, (heard) => isLast(heard) || enough(), patience);
  }

  #listen(step, until, patience) {
    return listen(step, until, patience, (last) => this.#hear(last), this.#tell);
  }

  async #hear(step) {
    try {
      return stageOf(await this.#link.ask(ENDPOINT, utf8("?")));
    } catch (error) {
      if (!(error instanceof SetupFailure)) throw error;
      return step;
    }
  }
}
