// The page "Set up a device": which way there is, and which one was chosen.

import { bluetoothWorks } from "../../onboarding/bluetooth.js";
import { offerBluetooth } from "./by_bluetooth.js";
import { offerButton } from "./by_button.js";
import { offerCamera } from "./camera.js";
import { offerSealing } from "./by_seal.js";
import { offerJoining, stopJoining } from "./joining.js";
import { at } from "./view.js";

const WAYS = ["bluetooth", "button", "sealed"];

function show(way) {
  stopJoining();
  for (const id of WAYS) at(id).hidden = id !== way;
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
  for (const id of ["way-bluetooth", "way-button"]) at(id).disabled = !works;
  at(works ? "way-bluetooth" : "way-sealed").checked = true;
  show(works ? "bluetooth" : "sealed");
  at("ways").addEventListener("change", (event) => show(event.target.value));
  at("another-device").addEventListener("click", () => {
    show(new FormData(at("ways")).get("way"));
    at("ways").querySelector(":checked").focus();
  });
  offerBluetooth();
  offerButton();
  offerJoining();
  offerSealing();
  offerCamera();
  showPasswords();
}

start();
