"""SEAL: a forger raises one alarm and locks nobody out; the genuine messages go on being stored."""

import asyncio
import json
import os
import subprocess
import sys

from doorstep.messaging.envelope import MAX_SEQUENCE
from doorstep.ownership.suspicion import TAGS_THAT_TELL
from doorstep.testing.devices import add_devices
from doorstep.testing.load import payload_of
from doorstep.testing.mqtt import open_client
from doorstep.testing.plant import Plant
from tests.ingest.tables import letters, query, stored
from tests.wait import until

_GENUINE = 40
_FORGED_EACH = TAGS_THAT_TELL // 20

_LOOK_TWICE = """
import json, sys
from doorstep.server.setup import start
start()
from doorstep.server.accounts.models import Member, Role, User
from doorstep.server.clock import now_us
from doorstep.server.fleet.models import Device
from doorstep.server.fleet.watching import LOOK_EVERY_S, watch
from doorstep.server.jobs.models import Job
device = Device.objects.get(device_id=sys.argv[1])
user = User.objects.create_user(f"{device.device_id}@example.org")
Member.objects.create(user=user, organisation=device.owner, role=Role.OWNER)
acted = [watch(now_us() + round(n * LOOK_EVERY_S * 1e6)) for n in range(2)]
device.refresh_from_db()
print(json.dumps({
    "acted": acted,
    "standing": device.standing,
    "shut_out": device.blocked or device.must_renew,
    "mails": Job.objects.filter(kind="mail", arguments__to=user.email).count(),
    "said": list(device.standing_changes.values_list("evidence", flat=True)),
}))
"""


def test_flood_of_forgeries_alarms_once_and_locks_nobody_out(running: Plant) -> None:
    device = add_devices(running, 1)[0]
    sealer, payload = device.boot(), payload_of(1, 0)
    genuine = [sealer.seal(b"up/data", payload) for _ in range(_GENUINE)]

    async def scene() -> None:
        root = running.state.root / "devices" / "root.crt"
        client = await open_client(running.settings.mqtt_tls_port, device.tls(root))
        assert await client.connect(device.device_id) == 0
        for message in genuine:
            for _ in range(_FORGED_EACH):
                number = int.from_bytes(os.urandom(2), "big") % (MAX_SEQUENCE - 999) + 999
                await client.publish(
                    device.topic("data"), b"\x05\x12%b\x01\x00" % number.to_bytes(2, "big") + os.urandom(40)
                )
            await client.publish(device.topic("data"), message)
        client.close()
        await client.lost

    asyncio.run(scene())
    forged = _GENUINE * _FORGED_EACH
    until(lambda: letters(running, device).get("wrong_tag") == forged)
    until(lambda: len(stored(running, [device])) == _GENUINE)
    rows = query(running, "SELECT count(*) FROM dead_letter WHERE device_id = ?", device.device_id)
    assert rows[0][0] <= 2  # one a minute, whatever comes
    seen = looked_twice(running, device.device_id)
    assert (seen["standing"], seen["shut_out"], seen["said"]) == ("suspected", False, ["tag_failures"])
    assert (seen["acted"], seen["mails"]) == ([1, 0], 1)


def looked_twice(plant: Plant, device: str) -> dict[str, object]:
    """Let the jobs role's watch look twice; return what came of it."""
    done = subprocess.run(
        [sys.executable, "-c", _LOOK_TWICE, device],
        env=plant.environment,
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
    )
    assert done.returncode == 0, done.stderr[-2000:]
    seen: dict[str, object] = json.loads(done.stdout)
    return seen
