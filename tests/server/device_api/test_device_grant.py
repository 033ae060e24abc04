"""The device authorization grant over the device API's real socket: strangers, and a certified client."""

import base64
import json
import os
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.conf import settings

from doorstep.crypto import p256
from doorstep.identity.client_assertion import ASSERTION_TYPE
from doorstep.ownership.actors import user_for
from doorstep.ownership.claims import Outcome, Reason
from doorstep.server.clock import now_us
from doorstep.server.custody import actions
from doorstep.server.custody.actions.claiming import Claimant
from doorstep.server.custody.actions.grants import (
    answer_grant,
)
from doorstep.server.custody.models import DeviceGrant
from tests.peers import install_peer
from tests.server.making import MadeDevice, authority, customer, devices, statement_of
from tests.server.roles import environment, free_port, running_role

_SECOND_US = 1_000_000
_GRANT = "urn:ietf:params:oauth:grant-type:device_code"


def _claimant(alias: str = "") -> Claimant:
    user, organisation = customer()
    return Claimant(organisation, user, user_for(user.pk, organisation.pk), alias=alias)


def _outcome(device: MadeDevice, token: str) -> tuple[Outcome, Reason]:
    said, _ = statement_of(device, token)
    decision = actions.register_device(said, authority=authority(), now_us=now_us()).decision
    assert decision is not None
    return decision.outcome, decision.reason


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    authority()
    port = free_port()
    with running_role("device-api", "doorstep.server.device_api.app:run", DOORSTEP_DEVICE_API_PORT=str(port)):
        yield f"https://localhost:{port}"


@pytest.fixture
def api(issuer: str) -> Iterator[httpx.Client]:
    trust = ssl.create_default_context(cadata=authority().root.pem.decode())
    with httpx.Client(base_url=issuer, verify=trust) as client:
        yield client


def _part(value: object) -> str:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _proof(device: MadeDevice, audience: str) -> dict[str, str]:
    now_s = now_us() // _SECOND_US
    claims = {"iss": device.device_id, "sub": device.device_id, "aud": audience, "exp": now_s + 60}
    signed = f"{_part({'alg': 'ES256'})}.{_part(claims)}"
    assertion = f"{signed}.{_part(device.key.sign(signed.encode()))}"
    return {"client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion}


@pytest.mark.roles
def test_metadata_names_the_endpoints(api: httpx.Client, issuer: str) -> None:
    told = api.get("/.well-known/oauth-authorization-server").json()
    assert told["issuer"] == issuer
    assert told["device_authorization_endpoint"] == f"{issuer}/device/v1/device_authorization"
    assert told["grant_types_supported"] == [_GRANT]


@pytest.mark.roles
def test_bind_01_strangers_learn_nothing_from_the_grant(api: httpx.Client, issuer: str) -> None:
    """BIND-01: an unknown device, another's key or audience, no proof, a foreign client id: one answer."""
    device, other = devices(2)
    forms: list[dict[str, str]] = [
        _proof(replace(device, device_id="aaaaaaaa"), issuer),
        _proof(replace(device, key=p256.generate(os.urandom)), issuer),
        _proof(device, "https://elsewhere.example"),
        {"client_id": device.device_id},
        _proof(device, issuer) | {"client_id": other.device_id},
    ]
    answers = [api.post("/device/v1/device_authorization", data=form) for form in forms]
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.content for answer in answers}) == 1


_BAD: dict[str, tuple[dict[str, str], str]] = {
    "another grant": ({"grant_type": "client_credentials"}, "unsupported_grant_type"),
    "no code": ({"grant_type": _GRANT}, "invalid_request"),
    "unknown code": ({"grant_type": _GRANT, "device_code": "A" * 43}, "expired_token"),
}


@pytest.mark.roles
@pytest.mark.parametrize("name", _BAD)
def test_bad_poll_is_an_oauth_error(api: httpx.Client, issuer: str, name: str) -> None:
    [device] = devices()
    form, error = _BAD[name]
    answer = api.post("/device/v1/token", data=_proof(device, issuer) | form)
    assert (answer.status_code, answer.json()["error"]) == (400, error)
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.roles
def test_bad_request_is_an_oauth_error(api: httpx.Client, issuer: str) -> None:
    [device] = devices()
    path, form = "/device/v1/device_authorization", "application/x-www-form-urlencoded"
    wide = api.post(path, data=_proof(device, issuer) | {"scope": "admin"})
    twice = api.post(path, content=b"scope=a&scope=b", headers={"content-type": form})
    none = api.post(path, content=b"\xff", headers={"content-type": form})
    assert [one.json()["error"] for one in (wide, twice, none)] == [
        "invalid_scope",
        "invalid_request",
        "invalid_request",
    ]


@pytest.fixture(scope="session")
def openid_client() -> Path:
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip("peer openid-client needs node and npm, which are not installed here")
    return install_peer(
        "openid-client",
        [npm, "install", "--no-audit", "--no-fund", "--prefix", "TARGET", "openid-client@6.8.0"],
    )


@pytest.mark.slow
@pytest.mark.peer
@pytest.mark.roles
@pytest.mark.parametrize("yes", [True, False])
def test_openid_client_completes_the_device_grant(
    openid_client: Path, issuer: str, tmp_path: Path, *, yes: bool
) -> None:
    """A certified stranger discovers, asks, shows the code, polls, and registers with what it gets."""
    [device] = devices(policy="device_key & setup_session")
    claimant = _claimant()
    root = tmp_path / "root.pem"
    root.write_bytes(authority().root.pem)
    script = Path(__file__).parent / "openid_client.mjs"
    with subprocess.Popen(
        ["node", script, openid_client, issuer, device.device_id],
        env=environment(NODE_EXTRA_CA_CERTS=str(root)),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as node:
        assert node.stdin
        assert node.stdout
        node.stdin.write(base64.b64encode(device.key.to_pkcs8()).decode())
        node.stdin.close()
        asked: dict[str, Any] = json.loads(node.stdout.readline())
        page = f"{settings.DOORSTEP.base_url}/activate/"
        assert asked["verification_uri_complete"] == f"{page}#{asked['user_code']}"
        answer_grant(claimant, asked["user_code"], now_us(), yes=yes)
        got: dict[str, Any] = json.loads(node.stdout.readline())
    DeviceGrant.objects.all().delete()
    if not yes:
        assert got == {"error": "access_denied"}
        return
    assert got["scope"] == "register"
    assert _outcome(device, got["access_token"]) == (Outcome.BOUND, Reason.POLICY_MET)
    assert device.row.owner == claimant.organisation
