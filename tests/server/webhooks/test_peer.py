"""The reference library of Standard Webhooks, in JavaScript, takes what we sign and refuses the rest."""

import json
import shutil
import subprocess
import time

import pytest

from doorstep.server.webhooks.sending import body_of
from doorstep.server.webhooks.signing import headers, secret_text
from tests.peers import install_peer

_PROGRAM = """
const { Webhook } = require("standardwebhooks");
const cases = JSON.parse(require("fs").readFileSync(0));
console.log(JSON.stringify(cases.map(({ secret, headers, body }) => {
  try { return new Webhook(secret).verify(body, headers).type; } catch (error) { return error.message; }
})));
"""
NEW, OLD, STRANGE = bytes(range(32)), bytes(range(32, 64)), bytes(32)


@pytest.mark.peer
def test_standardwebhooks_accepts_what_we_sign_and_nothing_else() -> None:
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        pytest.skip("peer standardwebhooks needs node and npm, which are not installed here")
    folder = install_peer(
        "standardwebhooks",
        [npm, "install", "--no-audit", "--no-fund", "--prefix", "TARGET", "standardwebhooks@1.1.1"],
    )
    body, now_s = body_of("device.registered", 1_790_000_000_123_456, {"serial": "SN-ü"}), int(time.time())

    def case(secret: bytes, at_s: int = now_s, sent: bytes = body) -> dict[str, object]:
        signed = headers("evt_abc", at_s, body, [NEW, OLD])
        return {"secret": secret_text(secret), "headers": signed, "body": sent.decode()}

    cases = [
        case(NEW),
        case(OLD),
        case(STRANGE),
        case(NEW, sent=body + b" "),
        case(NEW, at_s=now_s - 3600),
    ]
    done = subprocess.run(
        [node, "-e", _PROGRAM],
        cwd=folder,
        input=json.dumps(cases),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    verdicts = json.loads(done.stdout)
    assert verdicts[:2] == ["device.registered"] * 2
    assert verdicts[2:] == ["No matching signature found"] * 2 + ["Message timestamp too old"]
