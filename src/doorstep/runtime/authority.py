"""The maker's certificate authority on disk: create it once, load it at start, issue from it.

```
state/ca/            0700
  root.key  root.crt            root.key may be taken offline; nothing here needs it again
  factory.key  factory.crt      issues IDevIDs
  operations.key  operations.crt  issues operational and server certificates
```
"""

import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from doorstep.crypto import p256
from doorstep.crypto.p256 import PrivateKey, PublicKey
from doorstep.crypto.x509 import Certificate, Issuer, SigningRequest
from doorstep.errors import DoorstepError, MisuseError, SettingsError, UnavailableError, VerificationFailed
from doorstep.identity import certificates
from doorstep.runtime.state import write_private

__all__ = [
    "Authority",
    "ServerIdentity",
    "create_authority",
    "load_authority",
    "open_authority",
]

_READABLE_BY_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
_RESTORE: Final = (
    "Restore the folder from its backup: a new authority would not know the devices already made."
)


@dataclass(frozen=True, slots=True)
class ServerIdentity:
    """A listener's key and certificate chain, made together and never stored by the authority."""

    key: PrivateKey = field(repr=False)
    certificate: Certificate
    issuer: Certificate

    @property
    def chain_pem(self) -> bytes:
        """What a TLS server sends: its certificate, then its issuer's."""
        return self.certificate.pem + self.issuer.pem


@dataclass(frozen=True, slots=True)
class Authority:
    """Issues every certificate of one maker."""

    root: Certificate
    factory: Issuer = field(repr=False)
    operations: Issuer = field(repr=False)
    root_key_online: bool
    """The root's private key lies beside the others and should be moved to a safe."""
    rng: Callable[[int], bytes] = field(default=os.urandom, repr=False)

    def issue_idevid(
        self, public_key: PublicKey, *, device_id: str, device_serial: str, now: datetime
    ) -> Certificate:
        """Issue a device's birth certificate."""
        return certificates.issue_idevid(
            self.factory,
            public_key,
            device_id=device_id,
            device_serial=device_serial,
            now=now,
            serial=self._serial(),
        )

    def issue_operational(
        self, csr_der: bytes, *, device_id: str, now: datetime, lifetime: timedelta
    ) -> Certificate:
        """Issue a device's client certificate; of its request only the key is used.

        Raises `MalformedRequest` or `CertificateRefused` for a bad request, `MisuseError` for a bad lifetime.
        """
        return certificates.issue_operational(
            self.operations,
            SigningRequest.from_der(csr_der),
            device_id=device_id,
            now=now,
            lifetime=lifetime,
            serial=self._serial(),
        )

    def issue_server(self, names: Sequence[str], *, now: datetime) -> ServerIdentity:
        """Make a key and a server certificate for DNS names and IP addresses."""
        key = p256.generate(self.rng)
        certificate = certificates.issue_server(
            self.operations, key.public_key, names, now=now, serial=self._serial()
        )
        return ServerIdentity(key, certificate, self.operations.certificate)

    def _serial(self) -> int:
        return certificates.new_certificate_serial(self.rng)


def open_authority(
    directory: Path, maker: str, *, now: datetime, rng: Callable[[int], bytes] = os.urandom
) -> Authority:
    """Load the authority in ``directory``, or create it there when the folder is empty."""
    if _is_occupied(directory):
        return load_authority(directory, now=now, rng=rng)
    return create_authority(directory, maker, now=now, rng=rng)


def create_authority(
    directory: Path, maker: str, *, now: datetime, rng: Callable[[int], bytes] = os.urandom
) -> Authority:
    """Make root, factory CA and operations CA; the folder appears whole or not at all.

    Raises `MisuseError` when there is one already, `UnavailableError` when the disk refuses.
    """
    if _is_occupied(directory):
        raise MisuseError(f"there is a certificate authority in {directory} already")
    keys = {name: p256.generate(rng) for name in ("root", "factory", "operations")}
    made = _certificates_for(maker, keys, now, rng)
    try:
        _write_whole(directory, keys, made)
    except OSError as error:
        raise UnavailableError(
            f"the certificate authority cannot be written to {directory}: {error.strerror}",
            next_step="Make room or choose another state folder, then start again.",
        ) from error
    return load_authority(directory, now=now, rng=rng)


def load_authority(directory: Path, *, now: datetime, rng: Callable[[int], bytes] = os.urandom) -> Authority:
    """Read the authority and check that its files are private and belong together.

    Raises `SettingsError` for files that others can read or that contradict each other, `UnavailableError`
    for missing ones.
    """
    root = Certificate.from_pem(_read(directory / "root.crt"))
    roots = [root]
    staged = directory / "next" / "root.crt"
    if staged.exists():  # a change-over that a crash cut short leaves issuers of either
        roots.append(Certificate.from_pem(_read(staged)))
    return Authority(
        root=root,
        factory=_load_issuer(directory, "factory", roots, now),
        operations=_load_issuer(directory, "operations", roots, now),
        root_key_online=(directory / "root.key").exists(),
        rng=rng,
    )


def _is_occupied(directory: Path) -> bool:
    return directory.exists() and any(directory.iterdir())


def _certificates_for(
    maker: str, keys: dict[str, PrivateKey], now: datetime, rng: Callable[[int], bytes]
) -> dict[str, Certificate]:
    def serial() -> int:
        return certificates.new_certificate_serial(rng)

    root = certificates.make_root(maker, keys["root"], now=now, serial=serial())
    issuer = Issuer(root, keys["root"])
    return {
        "root": root,
        "factory": certificates.make_factory_ca(
            maker, keys["factory"].public_key, issuer, now=now, serial=serial()
        ),
        "operations": certificates.make_operations_ca(
            maker, keys["operations"].public_key, issuer, now=now, serial=serial()
        ),
    }


def _write_whole(directory: Path, keys: dict[str, PrivateKey], made: dict[str, Certificate]) -> None:
    directory.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=f".{directory.name}-", dir=directory.parent))
    try:
        for name, certificate in made.items():
            write_private(fresh / f"{name}.key", keys[name].to_pem())
            write_private(fresh / f"{name}.crt", certificate.pem)
        fresh.rename(directory)
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise


def _load_issuer(directory: Path, name: str, roots: Sequence[Certificate], now: datetime) -> Issuer:
    key_path = directory / f"{name}.key"
    _refuse_readable_by_others(key_path)
    certificate = Certificate.from_pem(_read(directory / f"{name}.crt"))
    issuer = Issuer(certificate, _load_key(key_path))
    if issuer.key.public_key.spki != certificate.public_key.spki:
        raise SettingsError(f"{key_path} is not the key of {name}.crt", next_step=_RESTORE)
    _check_issuer(certificate, roots, now, directory / f"{name}.crt")
    return issuer


def _check_issuer(certificate: Certificate, roots: Sequence[Certificate], now: datetime, path: Path) -> None:
    *others, last = roots
    for root in others:
        with suppress(VerificationFailed):
            certificate.verify(root, now=now)
            return
    try:
        certificate.verify(last, now=now)
    except VerificationFailed as error:
        raise SettingsError(f"{path}: {error.message}", next_step=_RESTORE) from error


def _load_key(path: Path) -> PrivateKey:
    try:
        return PrivateKey.from_pkcs8(_read(path))
    except UnavailableError:
        raise
    except DoorstepError as error:
        raise SettingsError(f"{path}: {error.message}", next_step=_RESTORE) from error


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UnavailableError(f"{path} cannot be read: {error.strerror}", next_step=_RESTORE) from error


def _refuse_readable_by_others(path: Path) -> None:
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except OSError as error:
        raise UnavailableError(f"{path} cannot be read: {error.strerror}", next_step=_RESTORE) from error
    if mode & _READABLE_BY_OTHERS:
        raise SettingsError(
            f"{path} can be read by other users of this machine (mode {mode:04o})",
            next_step=f"Run: chmod 600 {path}",
        )
