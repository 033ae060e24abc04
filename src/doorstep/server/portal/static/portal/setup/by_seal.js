// The way of every browser: the page seals the Wi-Fi to the device's public key, and people bring it there.

import { utf8 } from "../../onboarding/bytes.js";
import { SetupFailure } from "../../onboarding/failures.js";
import { blobLink, blobText, sealCredentials } from "../../onboarding/sealed.js";
import { spokenSerial } from "../../onboarding/spoken.js";
import { typedName } from "./networks.js";
import { Registration, lookUp, qrRows, releaseOf, watch } from "./platform.js";
import { at, finish, onSubmit, required, sayWords, told } from "./view.js";
import { said } from "./words.js";

const SVG = "http://www.w3.org/2000/svg";
const QUIET = 4;
const registration = new Registration("sealed");
let round = 0;

function drawQr(rows) {
  const size = rows.length + 2 * QUIET;
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `0 0 ${size} ${size}`);
  const path = document.createElementNS(SVG, "path");
  const dark = rows.flatMap((row, y) => [...row].flatMap((cell, x) => (cell === "1" ? [`M${x + QUIET} ${y + QUIET}h1v1h-1z`] : [])));
  path.setAttribute("d", dark.join(""));
  svg.append(path);
  at("qr").replaceChildren(svg);
}

async function seal() {
  const serial = required("serial", said("Type the serial of the label."));
  const network = { ssid: typedName("seal-ssid"), passphrase: utf8(at("sealed-password").value) };
  const device = await lookUp(spokenSerial(serial));
  const order = await registration.order();
  let text;
  try {
    text = blobText(await sealCredentials(device, { networks: [network], order, release: await releaseOf(device) }, order.expires));
  } catch (error) {
    throw error instanceof SetupFailure && error.key === "bad-network" ? Object.assign(error, { field: "sealed-password" }) : error;
  }
  await show(text, device);
}

async function show(text, device) {
  const link = blobLink(text, told.device_page);
  at("blob-link").href = link;
  at("blob-text").textContent = text;
  URL.revokeObjectURL(at("blob-file").href);
  at("blob-file").href = URL.createObjectURL(new Blob([text], { type: "text/plain" }));
  at("blob-file").download = `doorstep-${device.deviceId}.txt`;
  at("bring-name").textContent = device.name;
  at("bring").hidden = false;
  sayWords(said("Your Wi-Fi is locked for this device."), said("Bring it there now."));
  at("bring-title").focus();
  follow();
  drawQr(await qrRows(link));
}

/** Only the platform can say that it worked: this page and the device never meet. */
async function follow() {
  round += 1;
  const mine = round;
  const answer = await watch(registration, (heard) => mine !== round || (heard !== null && heard.state !== "waiting"));
  if (mine !== round) return;
  if (answer.state === "expired") lockAgain(answer);
  else finish(answer);
}

/** What was brought, if it was, is void; the form still has everything for another try. */
function lockAgain({ text }) {
  at("bring").hidden = true;
  sayWords(text, said("Lock your Wi-Fi once more: that makes a new token."));
  at("seal").focus();
}

/** Set the form up; nothing is sent before a click. */
export function offerSealing() {
  onSubmit("seal-form", seal);
}
