// Reads the label's QR code with the camera, in browsers that can.

import { SetupFailure } from "../../onboarding/failures.js";
import { parseLabel } from "../../onboarding/label.js";
import { ToldProblem, at, showProblem } from "./view.js";
import { said } from "./words.js";

const EVERY_MS = 200;
let stream = null;

function stop() {
  for (const track of stream?.getTracks() ?? []) track.stop();
  stream = null;
  at("camera").hidden = true;
  at("scan").focus();
}

async function read(detector) {
  for (const { rawValue } of await detector.detect(at("viewfinder"))) {
    try {
      parseLabel(rawValue);
      return rawValue;
    } catch (error) {
      if (!(error instanceof SetupFailure)) throw error; // some other code is in the picture
    }
  }
  return null;
}

async function scan() {
  const detector = new BarcodeDetector({ formats: ["qr_code"] });
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
  } catch {
    throw new ToldProblem(said("The camera can’t be used."), said("Allow it in the browser, or type the code."));
  }
  at("viewfinder").srcObject = stream;
  at("camera").hidden = false;
  await at("viewfinder").play();
  at("scan-stop").focus();
  while (stream) {
    const found = await read(detector);
    if (found === null) {
      await new Promise((resolve) => { setTimeout(resolve, EVERY_MS); });
      continue;
    }
    stop();
    at("code").value = found;
    at("choose").focus();
  }
}

/** Offer the camera where browser and machine have what it takes. */
export function offerCamera() {
  if (!("BarcodeDetector" in window) || !navigator.mediaDevices?.getUserMedia) return;
  at("camera-row").hidden = false;
  at("scan").addEventListener("click", () => { scan().catch(showProblem); });
  at("scan-stop").addEventListener("click", stop);
}
