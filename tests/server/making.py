"""Rows for tests, made by the actions that make them in life, with keys that really sign."""

import itertools
import os
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from allauth.account.models import EmailAddress
from django.conf import settings

from doorstep.crypto import p256
from doorstep.crypto.p256 import PrivateKey
from doorstep.crypto.x509 import build_request
from doorstep.identity import claim_code, ids, statement
from doorstep.runtime.authority import Authority, open_authority
from doorstep.server.accounts.models import Member, Organisation, OrganisationKind, Role, User
from doorstep.server.clock import now_us
from doorstep.server.custody import actions
from doorstep.server.custody.keys import claim_code_pepper
from doorstep.server.fleet.models import Batch, Device, Product

__all__ = [
    "MadeDevice",
    "authority",
    "batch_of",
    "blank_devices",
    "customer",
    "devices",
    "maker",
    "product",
    "statement_of",
    "wholesaler",
]

_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class MadeDevice:
    """A device with everything that leaves the factory with it."""

    device_id: str
    serial: str
    hardware_id: str | None
    public_key: bytes
    idevid: bytes
    claim_code_hash: bytes
    setup_code: str
    root_key: bytes
    key: PrivateKey = field(repr=False)
    code: str = field(repr=False)

    @property
    def row(self) -> Device:
        """Its row as it is now."""
        return Device.objects.select_related("product", "owner").get(device_id=self.device_id)


@cache
def authority() -> Authority:
    """The deployment's certificate authority."""
    return open_authority(Path(settings.STATE.ca), "Test Maker", now=datetime.now(UTC))


def product(policy: str = "", *, identity: str = "certificate") -> Product:
    """A product, with the default policy or another."""
    number = next(_numbers)
    fields = {"identity_method": identity} | ({"claim_policy": policy} if policy else {})
    return Product.objects.create(key=f"product-{os.getpid()}-{number}", name=f"Product {number}", **fields)


def devices(count: int = 1, *, policy: str = "", identity: str = "certificate") -> list[MadeDevice]:
    """Devices fresh from the factory, in a batch of their own."""
    made = blank_devices(count)
    batch = batch_of(made, policy=policy, identity=identity)
    actions.record_batch(batch, made, actor="operator", now_us=now_us())
    return made


def blank_devices(count: int) -> list[MadeDevice]:
    """Devices that nobody recorded yet."""
    return [_device() for _ in range(count)]


def batch_of(made: list[MadeDevice], *, policy: str = "", identity: str = "certificate") -> Batch:
    """A batch for these devices, of a product of its own."""
    of = product(policy, identity=identity)
    return Batch.objects.create(product=of, number=f"B{os.urandom(6).hex()}", count=len(made))


def customer(role: Role = Role.OWNER) -> tuple[User, Organisation]:
    """A user with a confirmed address, and their organisation."""
    email = f"customer-{os.urandom(5).hex()}@example.org"
    user = User.objects.create_user(email)
    EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
    organisation = Organisation.objects.create(name=email, kind=OrganisationKind.CUSTOMER)
    Member.objects.create(user=user, organisation=organisation, role=role)
    return user, organisation


def wholesaler() -> Organisation:
    """An organisation that buys to sell."""
    email = f"wholesaler-{os.urandom(5).hex()}@example.org"
    return Organisation.objects.create(name=email, kind=OrganisationKind.WHOLESALER, email=email)


def maker() -> tuple[User, Organisation]:
    """A member of the maker's staff, and the maker."""
    organisation, _ = Organisation.objects.get_or_create(
        kind=OrganisationKind.MAKER, defaults={"name": "Test Maker"}
    )
    user = User.objects.create_user(f"staff-{os.urandom(5).hex()}@example.org")
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    Member.objects.create(user=user, organisation=organisation, role=Role.OWNER)
    return user, organisation


def statement_of(  # noqa: PLR0913 - each is something an attacker would change
    device: MadeDevice,
    token: str | None,
    *,
    purpose: statement.Purpose = statement.Purpose.REGISTER,
    nonce: bytes | None = None,
    operational: PrivateKey | None = None,
    signer: PrivateKey | None = None,
) -> tuple[statement.Statement, bytes]:
    """What the device says, and the signed bytes of it."""
    key = operational or p256.generate(os.urandom)
    said = statement.Statement(
        purpose, device.device_id, nonce or os.urandom(32), token, build_request(key, device.device_id)
    )
    return said, statement.sign(said, (signer or device.key).sign)


def _device() -> MadeDevice:
    key = p256.generate(os.urandom)
    device_id = ids.new_device_id(os.urandom)
    serial = f"SN-{os.urandom(6).hex()}"
    certificate = authority().issue_idevid(
        key.public_key, device_id=device_id, device_serial=serial, now=datetime.now(UTC)
    )
    code = claim_code.generate(os.urandom)
    return MadeDevice(
        device_id=device_id,
        serial=serial,
        hardware_id=None,
        public_key=key.public_key.spki,
        idevid=certificate.der,
        claim_code_hash=code.hash(claim_code_pepper()),
        setup_code=f"code{serial[3:12]}",
        root_key=os.urandom(32),
        key=key,
        code=code.printed,
    )
