import asyncio
import json

import pytest

from doorstep.device.control import Command, Control, Controls
from doorstep.device.handlers import Handlers, Inbound
from doorstep.device.store import Store
from doorstep.errors import RefusedError
from doorstep.messaging import command
from doorstep.messaging.channels import Call, Settings, Values
from doorstep.messaging.command import Acknowledgement, Outcome
from doorstep.wire import senml


class Board:
    """A device's control over a store, with what it reported and applied."""

    def __init__(self, store: Store, **commands: Command) -> None:
        self.reported: list[dict[str, object]] = []
        self.applied: list[Values] = []
        self.shown = 0
        self.control = Control(
            store,
            Controls(commands, self.apply),
            report=self._report,
            identify=self._identify,
            interval_s=10.0,
        )
        handlers = Handlers()
        self.control.register(handlers)
        self._inbound = Inbound(store, handlers, answer=lambda _: None, clock_s=lambda: 0.0)
        self._number = 0

    async def apply(self, values: Values) -> None:
        if values.get("led") == "purple":
            raise RefusedError("there is no purple LED")
        self.applied.append(values)

    def _report(self, state: bytes) -> None:
        assert senml.check(state)
        self.reported.append(json.loads(state))

    def _identify(self) -> None:
        self.shown += 1

    def take(self, channel: str, body: bytes) -> Acknowledgement:
        self._number += 1
        one = command.Command(self._number.to_bytes(8, "big"), 0, body)
        return asyncio.run(self._inbound.carry_out(channel, one))


async def _relay(arguments: Values) -> str:
    return f"relay {arguments['on']}"


def test_device_carries_out_a_named_command_and_says_so(store: Store) -> None:
    answer = Board(store, relay=_relay).take("cmd", Call("relay", {"on": True}).encode())
    assert (answer.outcome, answer.detail) == (Outcome.DONE, b"relay True")


def test_every_device_shows_itself_and_reports(store: Store) -> None:
    board = Board(store)
    assert board.take("cmd", Call("identify").encode()).outcome is Outcome.DONE
    assert board.take("cmd", Call("report").encode()).outcome is Outcome.DONE
    assert (board.shown, board.reported[0]["config.version"]) == (1, 0)


@pytest.mark.parametrize(
    ("channel", "body", "why"),
    [
        ("cmd", Call("fly").encode(), b"this device knows no command fly"),
        ("cmd", b"\x00", b"a command has a name"),
        ("config", b"{}", b"the payload holds no readings"),
        ("config", Settings(1, {"interval": 0.5}).encode(), b"interval is a number of seconds"),
        ("config", Settings(1, {"interval": "often"}).encode(), b"interval is a number of seconds"),
        ("config", Settings(1, {"led": "purple"}).encode(), b"there is no purple LED"),
    ],
)
def test_device_refuses_what_it_does_not_know_and_changes_nothing(
    store: Store, channel: str, body: bytes, why: bytes
) -> None:
    board = Board(store)
    answer = board.take(channel, body)
    assert answer.outcome is Outcome.REFUSED
    assert answer.detail.startswith(why)
    assert (store.settings().version, board.applied, board.reported) == (0, [], [])


def test_settings_are_in_force_reported_and_survive_a_boot(store: Store) -> None:
    board = Board(store)
    assert board.control.interval_s == 10.0
    answer = board.take("config", Settings(3, {"interval": 30.0, "led": "green"}).encode())
    assert answer.outcome is Outcome.DONE
    said = board.reported[0]
    assert (said["config.version"], said["interval"], said["led"]) == (3, 30.0, "green")
    assert Board(store).control.interval_s == 30.0


def test_device_refuses_settings_older_than_those_it_has(store: Store) -> None:
    board = Board(store)
    board.take("config", Settings(5, {"interval": 30.0}).encode())
    answer = board.take("config", Settings(4, {"interval": 5.0}).encode())
    assert (answer.outcome, board.control.interval_s) == (Outcome.REFUSED, 30.0)
    assert board.take("config", Settings(5, {"interval": 30.0}).encode()).outcome is Outcome.DONE


def test_device_that_was_given_away_forgets_the_settings(store: Store) -> None:
    board = Board(store)
    board.take("config", Settings(5, {"interval": 30.0, "name": "mine"}).encode())
    board.control.forget()
    assert (store.settings().version, store.settings().values, board.control.interval_s) == (0, {}, 10.0)
