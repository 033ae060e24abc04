"""What stands inside sealed messages beside readings: commands, answers, calls, settings, people's values."""

from doorstep.errors import MisuseError, PeerError
from doorstep.messaging.channels import Call, Settings, read_values, write_values
from doorstep.messaging.command import Acknowledgement, Command, Outcome
from tests.fuzz.targets import target

_ID = bytes(range(8))
_CALL = Call("relay", {"on": True, "for": 30.0, "why": "test"})


@target("command", [Command(_ID, 1_800_000_000, _CALL.encode()).encode(), Command(_ID, 0, b"").encode()])
def fuzz_command(data: bytes) -> None:
    assert Command.decode(data).encode() == data


@target("acknowledgement", [Acknowledgement(_ID, outcome, b"why").encode() for outcome in Outcome])
def fuzz_acknowledgement(data: bytes) -> None:
    assert Acknowledgement.decode(data).encode() == data


@target("command-call", [_CALL.encode(), Call("identify").encode()])
def fuzz_call(data: bytes) -> None:
    call = Call.decode(data)
    assert Call.decode(call.encode()) == call


@target("command-settings", [Settings(7, {"interval": 2.5, "led": True, "name": "x"}).encode()])
def fuzz_settings(data: bytes) -> None:
    settings = Settings.decode(data)
    assert Settings.decode(settings.encode()) == settings


@target(
    "command-values", [b'a=1\nb=true\nc="7"\nd=x=y'], allowed=(PeerError, MisuseError, UnicodeDecodeError)
)
def fuzz_values(data: bytes) -> None:
    values = read_values(data.decode().split("\n"))
    assert read_values(write_values(values)) == values
