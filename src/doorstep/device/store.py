"""The device's own memory: one private folder, every file written whole and durable or not at all.

```
state/               0700, locked by one agent at a time
  root.pem           the maker's root certificate, which servers are checked by
  anchors.json       the roots that came later, and the update that is staged
  identity.json      what the factory made, without the root key
  sealed.json        the next boot's epoch and its root, replaced before the first send of a boot; and the
                     rotation that is staged
  network.json       the network that worked
  ticket.json        the registration token, until it is decided
  next.pem           the key of a certificate that was asked for and has not come
  fresh.pem          the next operational key and chain, until a session was opened with them
  operational.pem    the operational key with its certificate chain
  platform.json      where the broker listens
  lock.json          whether the set-up is locked, and since which claim
  settings.json      the settings that the owner wants, with their version
  commands.json      which commands were carried out last, and what became of them
  opened.json        nonces of the sealed credentials that were opened
  guesses.json       how many wrong set-up codes came in a row
  https.pem          the set-up server's own key and certificate
  idevid.pem         the factory key and its chain, where the set-up server shows those
```

The factory's root key is the root of epoch 0. It leaves this folder at the first boot, as every root does
when its epoch begins; so the provisioning file should be destroyed after the import.
"""

import fcntl
import hashlib
import stat
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, Self, TypeVar

import msgspec

from doorstep.crypto.p256 import PrivateKey, generate
from doorstep.crypto.x509 import Certificate, load_chain
from doorstep.errors import MisuseError, UnavailableError
from doorstep.identity.anchors import Anchors
from doorstep.identity.certificates import issue_setup_server, new_certificate_serial
from doorstep.identity.provisioning import Provisioning
from doorstep.messaging.keys import owner_change, run_ahead
from doorstep.messaging.rotation.device import DeviceKeys, Pending
from doorstep.messaging.sealer import DeviceState, next_boot
from doorstep.onboarding.lock import LockEvent, LockState, SetupLock
from doorstep.onboarding.network import NetworkCredentials
from doorstep.onboarding.sealed.opening import BlobMemory
from doorstep.runtime.state import move_durably, write_private
from doorstep.wire import jsontext

__all__ = ["MAX_SKIPPED_EPOCHS", "Applied", "Broker", "Carried", "Endpoint", "Operational", "Store", "Ticket"]

MAX_SKIPPED_EPOCHS: Final = 1 << 20
"""Epochs that a device runs forward at the platform's word: about two seconds of hashing, no more."""

_FORGOTTEN: Final = bytes(32)
_ASK_WITHIN_US: Final = 45 * 24 * 3600 * 1_000_000
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Ticket:
    """What the set-up brought: the token, and the device API to show it to."""

    token: str = field(repr=False)
    device_api: str
    held: bool = False
    """The platform has the claim and has not decided it."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One listener of the broker."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Broker:
    """Both listeners; a device without a certificate knows only one."""

    tls: Endpoint | None
    plain: Endpoint


@dataclass(frozen=True, slots=True)
class Operational:
    """How this device works for its owner: with a certificate, or with the root key alone."""

    certificate: Certificate | None
    file: Path | None
    """Its key and chain as TLS libraries want them."""
    device_api: str
    broker: Broker
    since_us: int
    """When it came, by this device's clock; its notBefore is earlier, for slow clocks."""
    staged: bool = False
    """No session was opened with it yet; the one before it is still there."""

    @property
    def not_after_us(self) -> int:
        """When it must be renewed. A root key does not expire; still, the platform is asked each month."""
        if self.certificate is None:
            return self.since_us + _ASK_WITHIN_US
        return round(self.certificate.not_after.timestamp() * 1e6)


@dataclass(frozen=True, slots=True)
class Applied:
    """The settings in force; version 0: none ever came."""

    version: int = 0
    values: dict[str, float | bool | str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Carried:
    """A command that was begun; ``outcome`` is None until it ended."""

    command_id: bytes
    outcome: int | None = None
    detail: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sealed:
    device: str
    epoch: int
    root: bytes = field(repr=False)
    number: int = 0
    pending: Pending | None = None
    mixed: str = ""
    """Digest of the nonce that was mixed in last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Platform:
    device_api: str
    broker: Broker
    since_us: int
    by_root: bool = False
    """The device works without a certificate."""


class Store:
    """Reads and writes the folder. ``open`` locks it; ``close`` lets it go."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = ExitStack()

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Make the folder or check it; raise MisuseError when others may read it or another agent has it."""
        store = cls(folder.absolute())
        try:
            store.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            mode = stat.S_IMODE(store.folder.stat().st_mode)
            lock = store._lock.enter_context((store.folder / "lock").open("ab"))
        except OSError as error:
            raise UnavailableError(
                f"the device's folder {folder} can't be used: {error.strerror}",
                next_step="Choose another with --state, or mend its permissions.",
            ) from error
        if mode & 0o077:
            store.close()
            raise MisuseError(
                f"the device's folder {folder} is open to other users of this machine",
                next_step=f"Run: chmod 700 {folder}",
            )
        store._hold(lock.fileno())
        for half_written in store.folder.glob(".*"):
            half_written.unlink()
        return store

    def close(self) -> None:
        """Let another agent use the folder."""
        self._lock.close()

    def adopt(self, made: Provisioning) -> None:
        """Become the device that the factory made; again is allowed, becoming another device is not.

        Raises MisuseError for another device, and for one whose key is in a secure element.
        """
        if made.identity == "secure_element":
            raise MisuseError(
                "this device's key is in its secure element, and the agent has no driver for one",
                next_step="Run firmware that signs by the element, or make the device with a certificate.",
            )
        known = self.identity()
        if known is not None and known.device_id != made.device_id:
            raise MisuseError(
                f"the folder {self.folder} belongs to device {known.device_id}, not to {made.device_id}",
                next_step="Give each device its own --state folder.",
            )
        sealed = self._read("sealed.json", _Sealed)
        if sealed is None or sealed.device != made.device_id:
            # Which epochs were used is not known: nothing may be sent before the platform has said it.
            self.drop_operational()
            self._write("sealed.json", _Sealed(device=made.device_id, epoch=0, root=made.root_key))
        self._write_bytes("root.pem", made.trust_anchor.encode())
        self._write_bytes("identity.json", replace(made, root_key=_FORGOTTEN).to_json())

    def identity(self) -> Provisioning | None:
        """Return what the factory made, with zeros in place of the root key; None before ``adopt``.

        Its trust anchor is the newest that this device trusts.
        """
        try:
            made = Provisioning.from_json(self._path("identity.json").read_bytes())
        except FileNotFoundError:
            return None
        newest = Certificate(self.anchors().trusted[-1])
        return replace(made, trust_anchor=newest.pem.decode())

    def anchors(self) -> Anchors:
        """Return which roots this device trusts: the factory's, until an update came."""
        known = self._read("anchors.json", Anchors)
        if known is not None:
            return known
        root = Certificate.from_pem(self._path("root.pem").read_bytes())
        return Anchors(0, (root.der,))

    def keep_anchors(self, anchors: Anchors) -> None:
        """Store them as a whole: after a power cut there are the old ones or these."""
        self._write("anchors.json", anchors)

    def next_epoch(self) -> int:
        """Return the epoch that the next boot will use."""
        return self._sealed().epoch

    def begin_epoch(self) -> DeviceState:
        """Return the state of a new epoch. When this returns, no later call can return the same epoch."""
        sealed = self._sealed()
        state = DeviceState(sealed.root, sealed.epoch)
        self._keep(sealed, next_boot(state))
        return state

    def keys(self) -> DeviceKeys:
        """Return the next boot's epoch and root, and the rotation that is staged."""
        sealed = self._sealed()
        return DeviceKeys(DeviceState(sealed.root, sealed.epoch), sealed.number, sealed.pending)

    def keep_keys(self, keys: DeviceKeys) -> None:
        """Store them as a whole: after a power cut there are the old ones or these."""
        state = keys.boot
        kept = replace(self._sealed(), epoch=state.epoch, root=state.root, number=keys.number)
        self._write("sealed.json", replace(kept, pending=keys.pending))

    def mix_root(self, epoch: int, nonce: bytes) -> None:
        """Make ``epoch`` the next one, under its root with ``nonce`` mixed in; a nonce that was is left.

        It is one write, so a power cut leaves the old root or the new one. Raises MisuseError for an epoch
        that is over: its root is gone.
        """
        sealed, digest = self._sealed(), hashlib.sha256(nonce).hexdigest()
        if sealed.mixed == digest:
            return
        if not 0 <= epoch - sealed.epoch <= MAX_SKIPPED_EPOCHS:
            raise MisuseError(
                f"the platform changes the root of epoch {epoch}, and this device is at {sealed.epoch}",
                next_step="Set the device up again.",
            )
        root = owner_change(run_ahead(sealed.root, epoch - sealed.epoch), nonce)
        self._write("sealed.json", replace(sealed, epoch=epoch, root=root, mixed=digest))

    def skip_epochs(self, first_free: int) -> None:
        """Make ``first_free`` the next epoch unless a later one is: the platform saw what this folder forgot.

        Raises MisuseError when that is further than MAX_SKIPPED_EPOCHS away.
        """
        sealed = self._sealed()
        if first_free - sealed.epoch > MAX_SKIPPED_EPOCHS:
            raise MisuseError(
                f"the platform speaks of epoch {first_free}, this device is at {sealed.epoch}",
                next_step="Ask the maker for a new root key for this device.",
            )
        state = DeviceState(sealed.root, sealed.epoch)
        while state.epoch < first_free:
            state = next_boot(state)
        if state.epoch != sealed.epoch:
            self._keep(sealed, state)

    def network(self) -> NetworkCredentials | None:
        """Return the network that worked last."""
        return self._read("network.json", NetworkCredentials)

    def keep_network(self, network: NetworkCredentials) -> None:
        """Remember a network that let the device in, by name: its access points may change."""
        self._write("network.json", replace(network, bssid=b"", channel=0))

    def forget_network(self) -> None:
        """Make the next start wait for a new Wi-Fi set-up."""
        self._drop("network.json")

    def lock(self) -> SetupLock:
        """Return how the set-up is locked; open for a device that was never claimed."""
        held = self._path("operational.pem").exists()
        return self._read("lock.json", SetupLock) or SetupLock(LockState.CLAIMED if held else LockState.OPEN)

    def claim(self, at: int) -> None:
        """Lock the set-up: the platform said, at this second of its clock, that the device has an owner."""
        self._write("lock.json", self.lock().claimed(at))

    def move_lock(self, event: LockEvent) -> SetupLock:
        """Note a reset or a release, and return the lock."""
        lock = self.lock().after(event)
        self._write("lock.json", lock)
        return lock

    def reset(self) -> None:
        """Forget the network because a hand on the device said so; identity and owner stay."""
        self.move_lock(LockEvent.RESET)
        self.forget_network()

    def opened_blobs(self) -> BlobMemory:
        """Return which sealed credentials were opened."""
        return self._read("opened.json", BlobMemory) or BlobMemory()

    def keep_opened_blobs(self, memory: BlobMemory) -> None:
        """Remember them, before anything is done about the newest."""
        self._write("opened.json", memory)

    def settings(self) -> Applied:
        """Return the settings in force."""
        return self._read("settings.json", Applied) or Applied()

    def keep_settings(self, settings: Applied) -> None:
        """Remember settings that are in force."""
        self._write("settings.json", settings)

    def commands(self) -> list[Carried]:
        """Return the commands that came last, oldest first."""
        return self._read("commands.json", list[Carried]) or []

    def keep_commands(self, commands: Sequence[Carried]) -> None:
        """Remember them over a power cut."""
        self._write("commands.json", commands)

    def ticket(self) -> Ticket | None:
        """Return the registration token that nobody answered yet."""
        return self._read("ticket.json", Ticket)

    def keep_ticket(self, ticket: Ticket) -> None:
        """Keep a token over a power cut, until it is decided."""
        self._write("ticket.json", ticket)

    def drop_ticket(self) -> None:
        """Delete the token: it was answered."""
        self._drop("ticket.json")

    def guesses(self) -> int:
        """Return how many wrong set-up codes came in a row."""
        return self._read("guesses.json", int) or 0

    def keep_guesses(self, wrong: int) -> None:
        """Count over a power cut; 0 after a right code, or after somebody who holds the device reset it."""
        if wrong:
            self._write("guesses.json", wrong)
        else:
            self._drop("guesses.json")

    def setup_server(self, rng: Callable[[int], bytes]) -> Path:
        """Return the file of the set-up server's own key and certificate, made when first asked for."""
        path = self._path("https.pem")
        if not path.exists():
            made = self.identity()
            if made is None:
                raise MisuseError(f"the folder {self.folder} has no identity to name a certificate after")
            key = generate(rng)
            certificate = issue_setup_server(key, made.device_id, serial=new_certificate_serial(rng))
            self._write_bytes(path.name, key.to_pem() + certificate.pem)
        return path

    def idevid_server(self) -> Path:
        """Return a file of the factory key and its certificates, for a server that shows the IDevID."""
        made = self.identity()
        if made is None:
            raise MisuseError(f"the folder {self.folder} has no identity to show")
        self._write_bytes("idevid.pem", made.private_key.encode() + made.certificate_chain.encode())
        return self._path("idevid.pem")

    def staged_key(self, rng: Callable[[int], bytes]) -> PrivateKey:
        """Return the key of the next certificate: the same one until its certificate is committed."""
        path = self._path("next.pem")
        if not path.exists():
            self._write_bytes(path.name, generate(rng).to_pem())
        return PrivateKey.from_pkcs8(path.read_bytes())

    def stage_present_key(self) -> bool:
        """Ask for the next certificate with the key in use; say whether that is another than before."""
        held, staged = self.operational(), self._path("next.pem")
        if held is None or held.file is None:
            return False
        present = PrivateKey.from_pkcs8(held.file.read_bytes()).to_pem()
        if staged.exists() and staged.read_bytes() == present:
            return False
        self._write_bytes(staged.name, present)
        return True

    def drop_staged_key(self) -> None:
        """Ask with a fresh key the next time."""
        self._drop("next.pem")

    def stage_operational(self, chain_pem: str, device_api: str, broker: Broker, *, now_us: int) -> None:
        """Keep the certificate of the staged key beside the one in use; the first is in use at once.

        Raises MisuseError when it is not that key's.
        """
        key = PrivateKey.from_pkcs8(self._path("next.pem").read_bytes())
        if load_chain(chain_pem.encode())[0].public_key.spki != key.public_key.spki:
            raise MisuseError("the certificate belongs to another key than the one that asked for it")
        self._write("platform.json", _Platform(device_api=device_api, broker=broker, since_us=now_us))
        name = "fresh.pem" if self._path("operational.pem").exists() else "operational.pem"
        self._write_bytes(name, key.to_pem() + chain_pem.encode())
        self._drop("next.pem")

    def commit_by_root(self, broker: Broker, *, now_us: int) -> None:
        """Note that the device may work with its root key alone."""
        platform = _Platform(device_api="", broker=broker, since_us=now_us, by_root=True)
        self._write("platform.json", platform)

    def commit_operational(self) -> None:
        """Give up the certificate before the staged one: the platform opened a session with the new one."""
        move_durably(self._path("fresh.pem"), self._path("operational.pem"))

    def operational(self) -> Operational | None:
        """Return the certificate to use: the staged one, if there is one; None before the first."""
        certificates = self.certificates()
        return certificates[0] if certificates else None

    def certificates(self) -> list[Operational]:
        """Return every certificate that the platform may take, the newest first."""
        platform = self._read("platform.json", _Platform)
        if platform is None:
            return []
        if platform.by_root:
            return [Operational(None, None, platform.device_api, platform.broker, platform.since_us)]
        paths = self._path("fresh.pem"), self._path("operational.pem")
        return [_operational(path, platform, staged=path is paths[0]) for path in paths if path.exists()]

    def drop_operational(self) -> None:
        """Forget the certificates: the platform no longer knows this device as anybody's."""
        self._drop("fresh.pem")
        self._drop("operational.pem")
        self._drop("platform.json")

    def _hold(self, descriptor: int) -> None:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self.close()
            raise MisuseError(
                f"another agent runs on the folder {self.folder}",
                next_step="Stop it, or give this device its own --state folder.",
            ) from error

    def _sealed(self) -> _Sealed:
        sealed = self._read("sealed.json", _Sealed)
        if sealed is None:
            raise MisuseError(
                f"the folder {self.folder} has no sealed.json, so this device may not send",
                next_step="Import the provisioning file again, then register the device again.",
            )
        return sealed

    def _keep(self, sealed: _Sealed, state: DeviceState) -> None:
        self._write("sealed.json", replace(sealed, epoch=state.epoch, root=state.root))

    def _path(self, name: str) -> Path:
        return self.folder / name

    def _read(self, name: str, kind: type[_T]) -> _T | None:
        try:
            return jsontext.decode(self._path(name).read_bytes(), kind)
        except FileNotFoundError:
            return None
        except jsontext.NotJson as error:
            raise MisuseError(
                f"{self._path(name)} is damaged: {error}",
                next_step="Restore the folder from a copy, or delete that file and set the device up again.",
            ) from error

    def _write(self, name: str, value: object) -> None:
        self._write_bytes(name, msgspec.json.encode(value))

    def _write_bytes(self, name: str, data: bytes) -> None:
        try:
            write_private(self._path(name), data)
        except OSError as error:
            raise UnavailableError(
                f"{self._path(name)} can't be written: {error.strerror}",
                next_step="Free space on that disk or mend its permissions; nothing was lost.",
            ) from error

    def _drop(self, name: str) -> None:
        self._path(name).unlink(missing_ok=True)


def _operational(path: Path, platform: _Platform, *, staged: bool) -> Operational:
    certificate = load_chain(path.read_bytes())[0]
    where = platform.device_api, platform.broker, platform.since_us
    return Operational(certificate, path, *where, staged)
