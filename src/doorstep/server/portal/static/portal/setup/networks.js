// The networks that the device hears, as a list to choose from.

import { shown, utf8 } from "../../onboarding/bytes.js";
import { ToldProblem, at, required } from "./view.js";
import { said } from "./words.js";

const MAX_SSID = 32;
const OPEN = 0;
const ENTERPRISE = 5;
let heard = [];

/** A network's name as octets. @param {string} id of the input @returns {Uint8Array} */
export function typedName(id) {
  const octets = utf8(required(id, said("Type the name of the network.")));
  if (octets.length > MAX_SSID) throw new ToldProblem(said("No network has so long a name."), said("Check it."), id);
  return octets;
}

function strength(rssi) {
  if (rssi >= -60) return said("strong signal");
  return rssi >= -75 ? said("fair signal") : said("weak signal");
}

function lock(auth) {
  if (auth === OPEN) return said("open, no password");
  return auth === ENTERPRISE ? said("needs a user name, which this page can’t give it") : said("with a password");
}

function choice(network, index) {
  const label = document.createElement("label");
  label.className = "choice";
  const input = Object.assign(document.createElement("input"), { type: "radio", name: "network", value: String(index) });
  const text = document.createElement("span");
  const name = document.createElement("strong");
  name.textContent = shown(network.ssid);
  const more = document.createElement("span");
  more.className = "soft small";
  more.textContent = `${strength(network.rssi)}, ${lock(network.auth)}`;
  text.append(name, document.createElement("br"), more);
  label.append(input, text);
  return label;
}

/** Show what was heard, strongest first, each name once. @param {import("../../onboarding/protocomm.js").ScanEntry[]} found */
export function showNetworks(found) {
  const names = new Set();
  heard = found.filter(({ ssid }) => ssid.length && !names.has(String(ssid)) && names.add(String(ssid)));
  at("network-list").replaceChildren(...heard.map(choice));
  at("networks-legend").textContent = heard.length ? said("The device hears these networks") : said("Which network shall it join?");
  const first = at("network-list").querySelector("input") ?? at("network-other");
  first.checked = true;
  showFields();
}

function chosen() {
  const { value } = at("network-form").elements.network;
  return value === "other" ? null : heard[Number(value)];
}

/** Show the fields that the chosen network needs. */
export function showFields() {
  const network = chosen();
  at("ssid-field").hidden = network !== null;
  at("joining-password-field").hidden = network?.auth === OPEN;
  at("joining-show").closest(".field").hidden = network?.auth === OPEN;
}

/** The network that was chosen, as octets. @returns {import("../../onboarding/protocomm.js").Network} */
export function chosenNetwork() {
  const network = chosen();
  if (network?.auth === ENTERPRISE) throw new ToldProblem(said("This network wants a user name as well."), said("Choose another, for example one for guests."));
  const ssid = network?.ssid ?? typedName("ssid");
  const passphrase = network?.auth === OPEN ? new Uint8Array() : utf8(at("joining-password").value);
  if (!passphrase.length && network && network.auth !== OPEN) throw new ToldProblem(said("Type the password of this network."), "", "joining-password");
  return { ssid, passphrase };
}
