// Reaches a device over HTTP: the page that the device itself serves, or a test's.

import { SetupFailure, malformed } from "./failures.js";
import { MAX_MESSAGE } from "./sec2.js";

const REPLY_MS = 10_000;
const SCAN_MS = 40_000;
/** The server's answer to each kind of refusal, docs/spec/onboarding-protocomm.md section 7. */
const FAILURE_OF = { 403: "refused", 404: "not-a-device", 429: "too-many-guesses", 503: "refused" };

/** @param {Response} response @returns {SetupFailure} */
function refusal(response) {
  const wait = Number.parseInt(response.headers.get("Retry-After") ?? "0", 10);
  return new SetupFailure(FAILURE_OF[response.status] ?? "lost", `status ${response.status}`, wait || 0);
}

/**
 * The device's session cookie travels by itself where the page has the device's own address.
 * @param {string} [url] the device's address without a slash at the end @returns {import("./sec2.js").Ask}
 */
export function httpLink(url = "") {
  return async (endpoint, body) => {
    const signal = AbortSignal.timeout(endpoint === "prov-scan" ? SCAN_MS : REPLY_MS);
    const headers = { "Content-Type": "application/x-www-form-urlencoded", Accept: "text/plain" };
    let response;
    let reply;
    try {
      response = await fetch(`${url}/${endpoint}`, { method: "POST", body, headers, signal });
      reply = new Uint8Array(await response.arrayBuffer());
    } catch {
      throw new SetupFailure("lost", "no answer");
    }
    if (!response.ok) throw refusal(response);
    if (reply.length > MAX_MESSAGE) throw malformed("a reply is too long");
    return reply;
  };
}
