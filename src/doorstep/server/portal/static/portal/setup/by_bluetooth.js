// The quick way: this page talks to the device by Web Bluetooth, secured by the code on its label.

import { BluetoothLink } from "../../onboarding/bluetooth.js";
import { SetupFailure } from "../../onboarding/failures.js";
import { labelOf } from "../../onboarding/label.js";
import { beginJoining } from "./joining.js";
import { Registration } from "./platform.js";
import { DeviceSession } from "./session.js";
import { onSubmit, required, say, sayWords } from "./view.js";
import { said } from "./words.js";

const registration = new Registration("bluetooth");

/** Let the person choose a device and connect to it. @param {string} name the label's, or empty @returns {Promise<BluetoothLink>} */
export async function connect(name) {
  const link = await BluetoothLink.choose(name);
  sayWords(link.name ? said("Connecting to {} …", link.name) : said("Connecting to the device …"));
  await link.connect();
  return link;
}

/** Secure a session with the device and go on to its network. */
export async function secureAndJoin(label, link, about) {
  const session = new DeviceSession(label, link, say);
  await session.open();
  await beginJoining({ session, registration: about, close: () => link.close() });
}

function label() {
  try {
    return labelOf(required("code", said("Type the code of the label.")));
  } catch (error) {
    throw error instanceof SetupFailure ? Object.assign(error, { field: "code" }) : error;
  }
}

async function openDevice() {
  const mine = label();
  await registration.checkCode();
  const link = await connect(mine.transport === "ble" ? mine.name : "");
  try {
    await secureAndJoin(mine, link, registration);
  } catch (error) {
    link.close();
    throw error.key === "wrong-code" ? Object.assign(error, { field: "code" }) : error;
  }
}

/** Set the form up; nothing is sent before a click. */
export function offerBluetooth() {
  onSubmit("label-form", openDevice);
}
