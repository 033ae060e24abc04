"""The device API while its database is down."""

import base64
import ssl
import time

import httpx
import pytest

from doorstep.server.clock import now_us
from doorstep.server.custody import actions
from tests.server.making import authority, customer, devices, statement_of
from tests.server.roles import free_port, running_role


@pytest.mark.slow
def test_device_is_told_to_come_back_when_the_database_is_down() -> None:
    authority()
    [device] = devices()
    user, organisation = customer()
    token, _ = actions.make_registration_token(organisation, user, now_us=now_us())
    port = free_port()
    with (
        running_role(
            "device-api",
            "doorstep.server.device_api.app:run",
            DOORSTEP_DEVICE_API_PORT=str(port),
            DOORSTEP_DATABASE_URL=f"postgresql://nobody@127.0.0.1:{free_port()}/gone",
        ),
        httpx.Client(
            base_url=f"https://localhost:{port}",
            verify=ssl.create_default_context(cadata=authority().root.pem.decode()),
            timeout=60,
        ) as client,
    ):
        began = time.monotonic()
        nonce = client.post("/device/v1/nonce", json={"device": device.device_id}).json()["nonce"]
        _, body = statement_of(device, token, nonce=base64.urlsafe_b64decode(f"{nonce}="))
        headers = {"content-type": "application/cose"}
        answer = client.post("/device/v1/register", content=body, headers=headers)
        assert time.monotonic() - began < 8
        assert (answer.status_code, answer.json()["type"]) == (503, "urn:doorstep:problem/unavailable")
        assert answer.headers["retry-after"] == "60"
        assert client.get("/device/v1/time").status_code == 200
