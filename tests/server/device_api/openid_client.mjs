// The device's side of the grant, by a certified stranger: openid-client discovers, asks, polls.
// Arguments: folder of openid-client, issuer, device id. The factory key (PKCS#8, base64) comes on stdin.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [folder, issuer, device] = process.argv.slice(2);
const client = await import(pathToFileURL(`${folder}/node_modules/openid-client/build/index.js`));
const key = await crypto.subtle.importKey(
  "pkcs8",
  Buffer.from(readFileSync(0, "utf8"), "base64"),
  { name: "ECDSA", namedCurve: "P-256" },
  false,
  ["sign"],
);
const config = await client.discovery(new URL(issuer), device, undefined, client.PrivateKeyJwt(key), {
  algorithm: "oauth2",
});
const asked = await client.initiateDeviceAuthorization(config, { scope: "register" });
console.log(JSON.stringify(asked));
try {
  console.log(JSON.stringify(await client.pollDeviceAuthorizationGrant(config, asked)));
} catch (error) {
  console.log(JSON.stringify({ error: error.error ?? error.message }));
}
