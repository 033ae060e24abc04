"""Where commands for devices are given: to the database beside us, or to a platform's REST API."""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol, Self

from doorstep.cli.operating import operate
from doorstep.cli.remote import Elsewhere
from doorstep.client import Client, ProblemAnswer
from doorstep.errors import RefusedError
from doorstep.messaging.channels import Call

if TYPE_CHECKING:
    from doorstep.client.shapes import CommandOut

__all__ = ["NEWEST", "Desk", "Shown", "Values", "Wanted", "desk_at"]

NEWEST: Final = 20
"""Commands that a list shows."""
_NOT_FOUND: Final = 404
Values = Mapping[str, float | bool | str]


@dataclass(frozen=True, slots=True)
class Shown:
    """A command and how far it is."""

    command_id: str
    device: str
    channel: str
    name: str
    state: str
    detail: str
    tries: int
    asked_us: int
    closed_us: int | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """Settings that a device should have, and what it said last."""

    version: int
    settings: Values
    applied_version: int | None
    reported: Values


class Desk(Protocol):
    """What one can do with commands; ``device`` is an id or a serial."""

    def send(self, device: str, call: Call, lasts_s: int) -> Shown:
        """Queue a command."""

    def newest(self, device: str) -> list[Shown]:
        """Return the newest commands."""

    def again(self, shown: Shown) -> Shown:
        """Return a command as it is now."""

    def cancel(self, device: str, command_id: str) -> Shown:
        """Withdraw a command."""

    def wanted(self, device: str) -> Wanted:
        """Return a device's settings."""

    def want(self, device: str, values: Values, seen: int) -> Shown:
        """Replace them, and return the command that tells the device."""


def desk_at(place: Elsewhere) -> AbstractContextManager[Desk]:
    """Open the desk there."""
    client = place.client()
    if client is not None:
        return _There(client)
    operate()
    from doorstep.cli.command_here import Here  # noqa: PLC0415 - needs Django started

    return nullcontext(Here())


class _There:
    """A platform elsewhere, with what its key may do."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def send(self, device: str, call: Call, lasts_s: int) -> Shown:
        device_id = self._id_of(device)
        wish: Any = {"name": call.name, "arguments": dict(call.arguments), "expires_in_s": lasts_s}
        return _of_answer(device_id, self._client.send_command(device_id, wish))

    def newest(self, device: str) -> list[Shown]:
        device_id = self._id_of(device)
        page = self._client.list_commands(device_id, limit=NEWEST)
        return [_of_answer(device_id, one) for one in page["items"]]

    def again(self, shown: Shown) -> Shown:
        return _of_answer(shown.device, self._client.get_command(shown.device, shown.command_id))

    def cancel(self, device: str, command_id: str) -> Shown:
        device_id = self._id_of(device)
        return _of_answer(device_id, self._client.cancel_command(device_id, command_id))

    def wanted(self, device: str) -> Wanted:
        said = self._client.get_desired(self._id_of(device))
        reported = {point["name"]: point["value"] for point in said["reported"]}
        return Wanted(said["version"], said["settings"], said["applied_version"], reported)

    def want(self, device: str, values: Values, seen: int) -> Shown:
        device_id = self._id_of(device)
        self._client.put_desired(device_id, {"settings": dict(values), "version": seen})
        return self.newest(device_id)[0]

    def _id_of(self, device: str) -> str:
        """Return the id of a device that is named by id or by serial."""
        try:
            return self._client.get_device(device)["device_id"]
        except ProblemAnswer as error:
            if error.status != _NOT_FOUND:
                raise
        found = self._client.list_devices(serial=device)["items"]
        if not found:
            raise RefusedError(
                f"there is no device {device[:40]!a} there",
                next_step="Compare it with the label.",
            )
        return found[0]["device_id"]


def _of_answer(device_id: str, said: "CommandOut") -> Shown:
    return Shown(
        said["command_id"],
        device_id,
        said["channel"],
        said["name"],
        said["state"],
        said["detail"],
        said["tries"],
        said["asked_us"],
        said["closed_us"],
    )
