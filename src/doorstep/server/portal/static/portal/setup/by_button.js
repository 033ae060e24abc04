// The way without a code: the device proves to the platform who it is, and people compare what it shows.

import { parseCapabilities } from "../../onboarding/protocomm.js";
import { attest } from "../../onboarding/attestation.js";
import { utf8 } from "../../onboarding/bytes.js";
import * as crypto from "../../onboarding/crypto_webcrypto.js";
import { typedLabel } from "../../onboarding/label.js";
import { connect, secureAndJoin } from "./by_bluetooth.js";
import { beginJoining } from "./joining.js";
import { Registration, makeChallenge, relayAttestation } from "./platform.js";
import { SealedSession } from "./sealed_session.js";
import { ToldProblem, at, onSubmit, say, sayWords } from "./view.js";
import { said } from "./words.js";

const NEEDED = ["attest", "sealed"];
const registration = new Registration("button");
let link = null;
let device = null;

async function askDevice() {
  await registration.checkCode();
  link = await connect("");
  const ask = (endpoint, body) => link.ask(endpoint, body);
  const { own } = parseCapabilities(await ask("proto-ver", utf8("---")));
  if (!NEEDED.every((cap) => own?.includes(cap))) throw new ToldProblem(said("This device can’t be set up without its code."), said("Choose the way with the code."));
  say("found");
  sayWords(said("The device proves who it is …"));
  const attestation = await attest(ask, await makeChallenge(), crypto);
  device = await relayAttestation(attestation);
  if (!device.mayBeSetUp) throw new ToldProblem(device.sentence, "");
  if (!device.presence) throw new ToldProblem(said("Nobody has pressed the button of this device."), said("Press it, or switch the device off and on, and choose it again."));
  showComparison(attestation.pattern);
}

function showComparison(pattern) {
  at("compare-device").textContent = device.name;
  at("compare-sentence").textContent = device.sentence;
  at("pattern").textContent = pattern.join(said(", then "));
  at("risk").textContent = device.risk;
  at("button-form").hidden = true;
  at("compare-form").hidden = false;
  sayWords(said("The device has proven who it is."), said("Compare what it shows."));
  at("compare-title").focus();
}

async function goOn() {
  if (device.setupCode) await secureAndJoin(typedLabel(device.setupCode), link, registration);
  else await beginJoining({ session: new SealedSession(device, link, say), registration, close: () => link.close() });
  showFirstStep();
}

function showFirstStep() {
  at("compare-form").hidden = true;
  at("button-form").hidden = false;
}

/** Set the forms up; nothing is sent before a click. */
export function offerButton() {
  onSubmit("button-form", askDevice);
  onSubmit("compare-form", goOn);
  at("compare-no").addEventListener("click", () => {
    link.close();
    showFirstStep();
    sayWords(said("Nothing was sent to that device."), said("Press the button of yours and choose again; move away from others."));
    at("button-choose").focus();
  });
}
