// The page "Set up a device": which way there is, and which one was chosen.

import { bluetoothWorks } from "../../onboarding/bluetooth.js";
import { offerBluetooth } from "./by_bluetooth.js";
import { offerSealing } from "./by_seal.js";
import { offerCamera } from "./camera.js";
import { at } from "./view.js";

function show(way) {
  at("bluetooth").hidden = way !== "bluetooth";
  at("sealed").hidden = way !== "sealed";
}

function showPasswords() {
  for (const box of document.querySelectorAll("[data-shows]")) {
    box.addEventListener("change", () => { at(box.dataset.shows).type = box.checked ? "text" : "password"; });
  }
}

async function start() {
  if (!window.isSecureContext) {
    at("insecure").hidden = false;
    at("setup").hidden = true;
    return;
  }
  const works = await bluetoothWorks();
  at("no-bluetooth").hidden = works;
  at("way-bluetooth").disabled = !works;
  at(works ? "way-bluetooth" : "way-sealed").checked = true;
  show(works ? "bluetooth" : "sealed");
  at("ways").addEventListener("change", (event) => show(event.target.value));
  offerBluetooth();
  offerSealing();
  offerCamera();
  showPasswords();
}

start();
