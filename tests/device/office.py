"""The maker's and the customer's side of a test deployment: real roles, the real factory, real tokens."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

from doorstep.device.store import Store, Ticket
from doorstep.identity.provisioning import Provisioning
from doorstep.onboarding.network import NetworkCredentials
from doorstep.testing.plant import Plant
from doorstep.testing.wifi import SimulatedNetwork

__all__ = ["HOME", "Office", "give"]

HOME: Final = SimulatedNetwork(b"home", b"correct horse")
"""The network that every customer has."""

_DJANGO: Final = "import json, sys; from doorstep.server.setup import start; start(); "

_TOKEN: Final = (
    _DJANGO
    + """
from allauth.account.models import EmailAddress
from doorstep.server.accounts.models import Member, Organisation, OrganisationKind, Role, User
from doorstep.server.clock import now_us
from doorstep.server.custody import actions
email = sys.argv[1]
user, new = User.objects.get_or_create(email=email)
if new:
    EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
    own = Organisation.objects.create(name=email, kind=OrganisationKind.CUSTOMER)
    Member.objects.create(user=user, organisation=own, role=Role.OWNER)
own = Organisation.objects.get(name=email)
age_us = int(sys.argv[2])
made = [actions.make_registration_token(own, user, now_us=now_us() - age_us) for _ in range(int(sys.argv[3]))]
print(json.dumps([token for token, _ in made]))
"""
)

_REVOKE: Final = (
    _DJANGO
    + """
from doorstep.server.clock import now_us
from doorstep.server.fleet.actions import revoke_device
from doorstep.server.fleet.models import Device
revoke_device(Device.objects.get(device_id=sys.argv[1]), "test", "reported stolen", now_us=now_us())
print("null")
"""
)


_WATCH: Final = (
    _DJANGO
    + """
from doorstep.server.clock import now_us
from doorstep.server.fleet.watching import watch
print(watch(now_us()))
"""
)


_RELEASE: Final = (
    _DJANGO
    + """
from datetime import UTC, datetime
from pathlib import Path
from django.conf import settings
from doorstep.runtime.authority import load_authority
from doorstep.server.clock import now_us
from doorstep.server.custody.actions.releasing import release_setup
from doorstep.server.fleet.models import Device
authority = load_authority(Path(settings.STATE.ca), now=datetime.now(UTC))
device = Device.objects.get(device_id=sys.argv[1])
print(json.dumps(release_setup(device, "test", authority, now_us=now_us())[0].hex()))
"""
)


def give(made: Provisioning, folder: Path, token: str | None) -> None:
    """Leave in a device's folder what its Wi-Fi set-up leaves there, with a token or without."""
    store = Store.open(folder)
    store.adopt(made)
    store.keep_network(NetworkCredentials(HOME.ssid, HOME.passphrase))
    if token is not None:
        store.keep_ticket(Ticket(token, made.servers.device_api))
    store.close()


class Office:
    """Does by the real actions, each in a process of its own, what people do at a desk."""

    def __init__(self, plant: Plant) -> None:
        self.plant = plant

    def make_devices(
        self,
        count: int,
        policy: str = "device_key & setup_session",
        *,
        identity: str = "certificate",
        sealed: str = "ratchet-8",
    ) -> list[Provisioning]:
        """Make a batch as the factory does."""
        product = f"plug-{os.urandom(4).hex()}"
        self.doorstep(
            *("product", "add", product, "--name", "Plug", "--claim-policy", policy),
            *("--identity", identity, "--sealed", sealed),
        )
        out = self.plant.state.root / f"batch-{product}"
        self.doorstep(
            "factory", "batch", "--product", product, "--count", str(count), "--out", str(out), "--yes"
        )
        return [Provisioning.from_json(path.read_bytes()) for path in sorted(out.glob("devices/*.json"))]

    def make_tokens(self, email: str, count: int = 1, *, age_s: float = 0) -> list[str]:
        """Make registration tokens for a customer, as if so many seconds ago."""
        tokens: list[str] = self._python(_TOKEN, email, str(round(age_s * 1e6)), str(count))
        return tokens

    def revoke(self, device: str) -> None:
        """Revoke a device, as the portal's button does."""
        self._python(_REVOKE, device)

    def watch(self) -> int:
        """Look for two users of one identity, as the jobs role does twice a minute."""
        acted: int = self._python(_WATCH)
        return acted

    def release(self, device: str) -> bytes:
        """Allow to set a device up again, as its owner's button in the portal does."""
        return bytes.fromhex(self._python(_RELEASE, device))

    def rows(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        """Read from the deployment's database."""
        connection = self.plant.connect()
        try:
            return list(connection.query(sql, parameters))
        finally:
            connection.close()

    def doorstep(self, *arguments: str) -> None:
        """Run a command on the platform's machine."""
        self._run([sys.executable, "-m", "doorstep", *arguments])

    def _python(self, code: str, *arguments: str) -> Any:
        return json.loads(self._run([sys.executable, "-c", code, *arguments]))

    def _run(self, command: list[str]) -> str:
        done = subprocess.run(
            command, env=self.plant.environment, capture_output=True, text=True, check=False, cwd=Path("/")
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout
