"""Opens messages: finds the device, verifies, decrypts, checks the payload. Knows no database."""

import logging
from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import Final

from doorstep.errors import DoorstepError, MalformedMessage, VerificationFailed
from doorstep.identity.ids import kid_of
from doorstep.ingest import aside
from doorstep.ingest.batch import Batch, DeviceRow, MessageRow, Suspect
from doorstep.ingest.legacy import LEGACY_CHANNELS, LegacyDesk
from doorstep.ingest.reader import Fetched
from doorstep.messaging.envelope import parse
from doorstep.messaging.errors import Rejected, RejectReason
from doorstep.messaging.opener import Opener
from doorstep.messaging.static import opener_for
from doorstep.messaging.variant import RATCHET_8
from doorstep.ownership.life import Life
from doorstep.runtime.dead_letters import Letter
from doorstep.runtime.sealed_rows import read_sealed, sealed_row
from doorstep.runtime.secrets import KeyFile
from doorstep.wire import senml

__all__ = ["MAX_DEVICES", "Opening"]

_log = logging.getLogger(__name__)

MAX_DEVICES: Final = 200_000
"""Devices kept ready in memory; beyond, all are loaded anew as they come."""

_REPEATS: Final = {RejectReason.REPLAYED, RejectReason.TOO_OLD, RejectReason.EPOCH_PAST}
_SUBJECT_WORDS: Final = 6  # $MQTT msgs u <partition> <device> <channel>


class _Known:
    """A device whose messages can be opened, or the reason why they are not."""

    __slots__ = ("device_id", "generation", "opener", "period", "refusal", "row")

    def __init__(self, device: DeviceRow, opener: Opener | None, refusal: str) -> None:
        self.row = device.row
        self.device_id = device.device_id
        self.generation = device.generation
        self.period = device.ownership_period
        self.opener = opener
        self.refusal = refusal


class _Route:
    """A subject: one device's channel."""

    __slots__ = ("aad", "channel", "known", "open", "topic")

    def __init__(self, known: _Known, channel: str) -> None:
        self.known = known
        self.channel = channel
        self.aad = f"up/{channel}".encode()
        self.topic = f"d/{known.device_id}/up/{channel}"
        # Only readings take the short way; everything else costs them nothing.
        self.open = known.opener.open if known.opener is not None and channel == aside.DATA else None


class Opening:
    """Turns fetched messages into a batch. Holds every device it saw, until told to forget."""

    def __init__(self, key_file: KeyFile) -> None:
        self._key_file = key_file
        self.legacy = LegacyDesk(key_file)
        self._known: dict[str, _Known] = {}
        self._routes: dict[bytes, _Route] = {}

    def unknown(self, messages: Iterable[Fetched]) -> list[str]:
        """Return the devices that must be loaded before these messages can be opened."""
        if len(self._known) > MAX_DEVICES:
            self.forget()
        subjects = set(map(itemgetter(0), messages)) - self._routes.keys()
        names = set()
        for device_id, channel in map(_device_and_channel, subjects):
            if channel in LEGACY_CHANNELS:
                self.legacy.look_for(device_id)
            else:
                names.add(device_id)
        return [name for name in names if name not in self._known]

    def learn(self, devices: Iterable[DeviceRow]) -> None:
        """Take devices that were loaded."""
        for device in devices:
            self._known[device.device_id] = self._ready(device)

    def forget(self) -> None:
        """Drop everything: the next messages are opened from what the database holds."""
        self._known.clear()
        self._routes.clear()
        self.legacy.forget()

    def open(self, messages: Sequence[Fetched], now_us: int) -> Batch:
        """Return what the messages are; nothing of it is true before it is stored."""
        batch = Batch(now_us)
        add, routes, check = batch.rows.append, self._routes, senml.check
        touched: set[_Known] = set()
        for subject, _, payload in messages:
            route = routes.get(subject) or self._route(subject)
            if route is None or route.open is None:
                self._take_aside(batch, subject, payload, touched)
                continue
            known = route.known
            touched.add(known)
            try:
                epoch, sequence, plaintext = route.open(payload, route.aad, now_us)
                count = check(plaintext)
            except (Rejected, MalformedMessage) as error:
                _refuse(batch, route, payload, error)
                continue
            row = (known.row, epoch, sequence, route.channel, now_us, known.period, count, plaintext)
            add(row)  # type: ignore[arg-type]  # a plain tuple costs half of a named one
        self._note_progress(batch, touched, now_us)
        return batch

    def _take_aside(self, batch: Batch, subject: bytes, payload: bytes, touched: set[_Known]) -> None:
        """Take a message of another channel than ``data``, or of a device that may not send."""
        now_us, route = batch.received_us, self._routes.get(subject)
        device_id, channel = _device_and_channel(subject)
        if channel in LEGACY_CHANNELS:
            self.legacy.take(batch, device_id, channel, payload)
            return
        if route is None or route.known.opener is None:
            if route is not None:  # storing tells whether the device is still refused
                batch.generations[route.known.row] = route.known.generation
            batch.letters.append(_unopened(subject, payload, route, now_us))
            return
        known = route.known
        touched.add(known)
        try:
            epoch, sequence, plaintext = route.known.opener.open(payload, route.aad, now_us)
            place = aside.Place(known.row, epoch, sequence, now_us, known.period)
            said, count = aside.read(route.channel, place, plaintext)
        except (Rejected, MalformedMessage) as error:
            _refuse(batch, route, payload, error)
            return
        batch.asides.append(said)
        # What an answer says stands with its command, for as long as somebody needs it.
        kept = b"" if isinstance(said, aside.Answer) else plaintext
        row = (known.row, epoch, sequence, route.channel, now_us, known.period, count, kept)
        batch.rows.append(MessageRow(*row))

    def _note_progress(self, batch: Batch, touched: Iterable[_Known], now_us: int) -> None:
        for known in touched:
            opener = known.opener
            if opener is None:
                continue
            opener.expire(now_us)
            batch.generations[known.row] = known.generation
            if opener.epoch_changed:
                batch.states[known.row] = sealed_row(self._key_file, known.device_id, opener.snapshot())
            else:
                batch.progress[known.row] = opener.progress()

    def _route(self, subject: bytes) -> _Route | None:
        device_id, channel = _device_and_channel(subject)
        known = self._known.get(device_id)
        if known is None or channel in LEGACY_CHANNELS:
            return None
        route = self._routes[subject] = _Route(known, channel)
        return route

    def _ready(self, device: DeviceRow) -> _Known:
        if device.blocked:
            return _Known(device, None, "revoked")
        if device.life != Life.OWNED or device.sealed is None:
            return _Known(device, None, "not_owned")
        try:
            state = read_sealed(self._key_file, device.device_id, device.sealed)
        except VerificationFailed as error:
            _log.error("keys of device %s: %s", device.device_id, error.message)
            return _Known(device, None, "unreadable_keys")
        return _Known(device, opener_for(kid_of(device.device_id), state), "")


def _device_and_channel(subject: bytes) -> tuple[str, str]:
    words = subject.decode("utf-8", "replace").split(".")
    return (words[4], words[5]) if len(words) == _SUBJECT_WORDS else ("", "")


def _unopened(subject: bytes, payload: bytes, route: _Route | None, now_us: int) -> Letter:
    if route is not None:
        return Letter(now_us, route.known.device_id, route.topic, route.known.refusal, "", payload)
    device_id, channel = _device_and_channel(subject)
    return Letter(now_us, device_id, f"d/{device_id}/up/{channel}", "unknown_device", "", payload)


def _refuse(batch: Batch, route: _Route, payload: bytes, error: DoorstepError) -> None:
    reason = error.reason if isinstance(error, Rejected) else RejectReason.BAD_PAYLOAD
    letter = Letter(batch.received_us, route.known.device_id, route.topic, reason, error.message, payload)
    if reason in _REPEATS:
        variant = route.known.opener.variant if route.known.opener is not None else RATCHET_8
        epoch, sequence = parse(payload, variant)[:2]
        batch.suspects.append(Suspect(route.known.row, epoch, sequence, letter))
    else:
        batch.letters.append(letter)
