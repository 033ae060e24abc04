"""A maker and its devices, made by the same code as in the factory."""

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from doorstep.crypto import p256
from doorstep.device.store import Store
from doorstep.identity.ids import new_device_id
from doorstep.identity.provisioning import Provisioning, Servers, SetupVerifier
from doorstep.runtime.authority import Authority, create_authority

MakeDevice = Callable[[], Provisioning]


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    folder = tmp_path_factory.mktemp("maker") / "ca"
    return create_authority(folder, "Test Maker", now=datetime.now(UTC))


@pytest.fixture(scope="session")
def make_device(authority: Authority) -> MakeDevice:
    def make() -> Provisioning:
        key, device = p256.generate(os.urandom), new_device_id(os.urandom)
        idevid = authority.issue_idevid(
            key.public_key, device_id=device, device_serial=f"SN-{device}", now=datetime.now(UTC)
        )
        return Provisioning(
            device_id=device,
            serial=f"SN-{device}",
            product="plug",
            hardware_id=None,
            private_key=key.to_pem().decode(),
            certificate_chain=(idevid.pem + authority.factory.certificate.pem).decode(),
            trust_anchor=authority.root.pem.decode(),
            root_key=os.urandom(32),
            setup=SetupVerifier("PROV_" + device, "doorstep", b"\x01" * 16, b"\x02" * 384),
            servers=Servers("https://localhost:8443", "localhost", 8883, 1883),
        )

    return make


@pytest.fixture
def made(make_device: MakeDevice) -> Provisioning:
    return make_device()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path / "device")
    yield opened
    opened.close()
