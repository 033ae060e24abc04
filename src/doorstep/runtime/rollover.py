"""The maker's root is replaced: a new one beside the old, devices are told, and the platform changes over.

```
state/ca/
  anchors/0001.cbor    signed updates of the devices' trust anchors, one a version (docs/spec/rotation.md §6)
  next/root.crt, .key  the new root between stage and change-over
```

Every file is written whole or not at all, and in an order in which the authority loads after each of them.
"""

import os
import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Final

from doorstep.crypto import p256
from doorstep.crypto.p256 import PrivateKey
from doorstep.crypto.x509 import Certificate, Issuer
from doorstep.errors import MisuseError, UnavailableError
from doorstep.identity import certificates
from doorstep.identity.anchors import AnchorUpdate
from doorstep.identity.rotation import Stage
from doorstep.runtime.state import write_private

__all__ = ["change_over", "newest_version", "stage_of", "stage_root", "updates_after"]

_UPDATE: Final = re.compile(r"(\d{4})\.cbor")
_AT_ONCE: Final = 16


def stage_of(directory: Path) -> Stage:
    """Return whether a new root is staged."""
    return Stage.STAGED if (directory / "next" / "root.crt").exists() else Stage.SETTLED


def updates_after(directory: Path, version: int) -> list[bytes]:
    """Return the signed updates that a device with ``version`` lacks, oldest first, at most 16."""
    found = [
        (int(named[1]), path)
        for path in (directory / "anchors").glob("*.cbor")
        if (named := _UPDATE.fullmatch(path.name))
    ]
    return [path.read_bytes() for number, path in sorted(found) if number > version][:_AT_ONCE]


def newest_version(directory: Path) -> int:
    """Return the version of the newest update; 0 while the root is the first."""
    files = (directory / "anchors").glob("*.cbor")
    return max((int(path.stem) for path in files if _UPDATE.fullmatch(path.name)), default=0)


def stage_root(
    directory: Path, maker: str, *, now: datetime, rng: Callable[[int], bytes] = os.urandom
) -> int:
    """Make a new root and an update by which devices trust both; return the update's version.

    Staged again, it writes what a crash left out. Raises UnavailableError without the old root's key.
    """
    old = Issuer(Certificate.from_pem((directory / "root.crt").read_bytes()), _root_key(directory))
    for folder in (directory / "anchors", directory / "next"):
        folder.mkdir(mode=0o700, exist_ok=True)
    if stage_of(directory) is Stage.SETTLED:
        key = p256.generate(rng)
        serial = certificates.new_certificate_serial(rng)
        root = certificates.make_root(maker, key, now=now, serial=serial)
        write_private(directory / "next" / "root.key", key.to_pem())
        write_private(directory / "next" / "root.crt", root.pem)
    new = Certificate.from_pem((directory / "next" / "root.crt").read_bytes())
    return _publish(directory, (old.certificate.der, new.der), old)


def change_over(
    directory: Path, maker: str, *, now: datetime, rng: Callable[[int], bytes] = os.urandom
) -> int:
    """Issue both intermediate authorities anew under the staged root and make it the root.

    Return the version of the update by which devices forget the old one, each once it has reached a server
    under the new. Listeners show the new chain after a restart. Asked again after a crash, it goes on.
    """
    staged = directory / "next"
    if stage_of(directory) is not Stage.STAGED:
        raise MisuseError("no new root is staged", next_step="Run: doorstep keys anchor stage")
    key = PrivateKey.from_pkcs8((staged / "root.key").read_bytes())
    new = Issuer(Certificate.from_pem((staged / "root.crt").read_bytes()), key)
    version = _publish(directory, (new.certificate.der,), new)
    for name, make in (
        ("factory", certificates.make_factory_ca),
        ("operations", certificates.make_operations_ca),
    ):
        public = Certificate.from_pem((directory / f"{name}.crt").read_bytes()).public_key
        serial = certificates.new_certificate_serial(rng)
        made = make(maker, public, new, now=now, serial=serial)
        write_private(directory / f"{name}.crt", made.pem)
    write_private(directory / "root.crt", new.certificate.pem)
    write_private(directory / "root.key", key.to_pem())
    for name in ("root.crt", "root.key"):
        (staged / name).unlink()
    return version


def _publish(directory: Path, anchors: tuple[bytes, ...], signer: Issuer) -> int:
    """Write the next update, unless the newest says the same; return its version."""
    newest = newest_version(directory)
    if newest and _path(directory, newest).read_bytes() == AnchorUpdate(newest, anchors).sign(signer):
        return newest
    write_private(_path(directory, newest + 1), AnchorUpdate(newest + 1, anchors).sign(signer))
    return newest + 1


def _path(directory: Path, version: int) -> Path:
    return directory / "anchors" / f"{version:04}.cbor"


def _root_key(directory: Path) -> PrivateKey:
    path = directory / "root.key"
    if not path.exists():
        raise UnavailableError(
            f"the root's key {path} is not here",
            next_step="Bring it back from its safe for this one command: it signs the update.",
        )
    return PrivateKey.from_pkcs8(path.read_bytes())
