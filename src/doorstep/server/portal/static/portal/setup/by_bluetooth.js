// The quick way: this page talks to the device by Web Bluetooth, secured by the code on its label.

import { BluetoothLink } from "../../onboarding/bluetooth.js";
import { SetupFailure } from "../../onboarding/failures.js";
import { labelOf } from "../../onboarding/label.js";
import { chosenNetwork, showFields, showNetworks } from "./networks.js";
import { Registration, watch } from "./platform.js";
import { ONLINE, DeviceSession } from "./session.js";
import { ToldProblem, at, finish, onSubmit, required, say, sayWords, showProblem, told } from "./view.js";

const PLATFORM_PATIENCE_MS = 90_000;
/** The input that a failed joining is about. */
const FIELD_OF = { "wrong-password": "bluetooth-password" };
const registration = new Registration("bluetooth");
let link = null;
let session = null;

async function openDevice() {
  let label;
  try {
    label = labelOf(required("code", "Type the code of the label."));
  } catch (error) {
    throw error instanceof SetupFailure ? Object.assign(error, { field: "code" }) : error;
  }
  link?.close();
  at("network-form").hidden = true;
  link = await BluetoothLink.choose(label.transport === "ble" ? label.name : "");
  sayWords(`Connecting to ${link.name || "the device"} …`);
  await link.connect();
  session = new DeviceSession(label, link, say);
  try {
    await session.open();
  } catch (error) {
    throw error.key === "wrong-code" ? Object.assign(error, { field: "code" }) : error;
  }
  await listNetworks();
  at("network-title").focus();
}

async function listNetworks() {
  sayWords("The device listens for Wi-Fi networks …");
  showNetworks(await session.networks());
  at("network-form").hidden = false;
}

async function joinNetwork() {
  const network = chosenNetwork();
  const order = await registration.order();
  const step = await session.join(network, order);
  if (!ONLINE.has(step) && step !== "checking") throw problemOf(step);
  await confirm(step);
}

function problemOf(step) {
  const words = told.steps[step];
  return new ToldProblem(words.sentence, words.next_step, FIELD_OF[step]);
}

/** Success is two signals: the device said that it is connected, and the platform saw it. */
async function confirm(step) {
  let seen = null;
  const deadline = Date.now() + PLATFORM_PATIENCE_MS;
  const platform = watch(registration, (answer) => {
    if (answer && answer.state !== "waiting") seen = answer;
    return seen !== null || Date.now() > deadline;
  });
  const last = await session.follow(step, () => seen !== null, PLATFORM_PATIENCE_MS);
  if (last === "refused") throw problemOf(last);
  await platform;
  link.close();
  if (seen === null) say("checking");
  else finish(seen.text, seen.url);
}

/** Set the form up; nothing is sent before a click. */
export function offerBluetooth() {
  onSubmit("label-form", openDevice);
  onSubmit("network-form", joinNetwork);
  at("network-form").addEventListener("change", showFields);
  at("listen-again").addEventListener("click", () => { listNetworks().catch(showProblem); });
}
