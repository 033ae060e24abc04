// From a device that is ready to one that is somebody's: choose a network, join it, wait for both signals.

import { chosenNetwork, showFields, showNetworks } from "./networks.js";
import { watch } from "./platform.js";
import { ONLINE } from "./session.js";
import { ToldProblem, at, finish, isBusy, onSubmit, say, sayWords, showProblem, told } from "./view.js";
import { said } from "./words.js";

const PLATFORM_PATIENCE_MS = 90_000;
/** The input that a failed joining is about. */
const FIELD_OF = { "wrong-password": "joining-password" };
let device = null;

/**
 * Ask for the network of a device.
 * @param {{session: object, registration: import("./platform.js").Registration, close: () => void}} ready
 */
export async function beginJoining(ready) {
  device = ready;
  await listNetworks();
  for (const id of ["bluetooth", "button"]) at(id).hidden = true;
  at("joining").hidden = false;
  showNetworkForm();
}

/** Go back to the choice of a device. */
export function stopJoining() {
  device?.close();
  device = null;
  at("joining").hidden = true;
}

function showNetworkForm() {
  at("retry-form").hidden = true;
  at("network-form").hidden = false;
  at("network-title").focus();
}

/** Offer what is left to do when the platform did not take the registration: the device itself is set up. */
function offerRetry(sentence) {
  at("retry-title").textContent = sentence;
  at("retry-touch").hidden = !device.session.needsTouch;
  at("network-form").hidden = true;
  at("retry-form").hidden = false;
  at("progress").hidden = true;
  at("retry-title").focus();
}

async function listNetworks() {
  sayWords(said("Asking the device for Wi-Fi networks …"));
  const heard = await device.session.networks();
  showNetworks(heard);
  if (!heard.length) say("waiting");
}

async function joinNetwork() {
  const mine = device;
  const network = chosenNetwork();
  const step = await mine.session.join(network, await mine.registration.order());
  if (mine !== device) return; // somebody chose another device meanwhile
  if (!ONLINE.has(step) && step !== "checking") throw problemOf(step);
  await confirm(step);
}

/** Register once more, with a token that nobody has seen; the device stays on its network. */
async function registerAgain() {
  device.registration.discard();
  await confirm(await device.session.registerAgain(await device.registration.order()));
}

function problemOf(step) {
  const words = told.steps[step];
  return new ToldProblem(words.sentence, words.next_step, FIELD_OF[step]);
}

/** Success is two signals: the device said that it is connected, and the platform saw it. */
async function confirm(step) {
  const mine = device;
  const { session, registration, close } = mine;
  let seen = null;
  let refused = false;
  const deadline = Date.now() + PLATFORM_PATIENCE_MS;
  const platform = watch(registration, (answer) => {
    if (answer && answer.state !== "waiting") seen = answer;
    return refused || seen !== null || mine !== device || Date.now() > deadline;
  });
  const last = await session.follow(step, () => seen !== null || mine !== device, PLATFORM_PATIENCE_MS);
  refused = last === "refused";
  await platform;
  if (mine !== device) return;
  if (refused) offerRetry(told.steps.refused.sentence);
  else if (seen?.state === "expired") offerRetry(seen.text);
  else {
    close();
    if (seen === null) say("checking");
    else finish(seen);
  }
}

/** Set the forms up; nothing is sent before a click. */
export function offerJoining() {
  onSubmit("network-form", joinNetwork);
  onSubmit("retry-form", registerAgain);
  at("network-form").addEventListener("change", showFields);
  at("listen-again").addEventListener("click", () => { listNetworks().catch(showProblem); });
  at("retry-network").addEventListener("click", () => {
    if (isBusy("retry-form")) return;
    device.registration.discard();
    showNetworkForm();
  });
}
