// Passkeys (WebAuthn): a form with data-passkey asks the browser, puts its answer into the form, and sends it.
// "add" makes a passkey, "use" proves one whose options stand in the page, "login" fetches the options first.

import { said } from "./words.js";

const fromText = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
const toText = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

const withIds = (list) => (list ?? []).map((one) => ({ ...one, id: fromText(one.id) }));

function creation({ publicKey }, alone) {
  const need = alone ? "required" : "discouraged";
  return {
    ...publicKey,
    challenge: fromText(publicKey.challenge),
    user: { ...publicKey.user, id: fromText(publicKey.user.id) },
    excludeCredentials: withIds(publicKey.excludeCredentials),
    authenticatorSelection: {
      ...publicKey.authenticatorSelection,
      residentKey: need,
      requireResidentKey: alone,
      userVerification: alone ? "required" : "preferred",
    },
    extensions: { ...publicKey.extensions, credProps: true },
  };
}

function request({ publicKey }) {
  return {
    ...publicKey,
    challenge: fromText(publicKey.challenge),
    allowCredentials: withIds(publicKey.allowCredentials),
  };
}

function told(credential) {
  const response = {};
  for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (credential.response[name]) response[name] = toText(credential.response[name]);
  }
  return JSON.stringify({
    type: credential.type,
    id: credential.id,
    rawId: toText(credential.rawId),
    response,
    clientExtensionResults: credential.getClientExtensionResults(),
  });
}

async function options(form) {
  if (form.dataset.passkey !== "login") return JSON.parse(document.getElementById("passkey-options").textContent).request_options;
  const answer = await fetch(form.action, { headers: { "X-Requested-With": "XMLHttpRequest" } });
  return (await answer.json()).request_options;
}

async function ask(form) {
  if (form.dataset.passkey === "add") {
    const { creation_options: told } = JSON.parse(document.getElementById("passkey-options").textContent);
    return navigator.credentials.create({ publicKey: creation(told, form.elements.passwordless.checked) });
  }
  return navigator.credentials.get({ publicKey: request(await options(form)) });
}

for (const form of document.querySelectorAll("form[data-passkey]")) {
  const error = form.querySelector("[data-passkey-error]");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    error.hidden = true;
    try {
      form.elements.credential.value = told(await ask(form));
      form.submit();
    } catch (problem) {
      error.textContent =
        problem.name === "InvalidStateError"
          ? said("This device has a passkey for your account already.")
          : said("The browser gave no passkey. Try again, or use another way.");
      error.hidden = false;
    }
  });
}
