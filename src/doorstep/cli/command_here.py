"""Commands for devices given to the database beside us; import it only once Django is started."""

from doorstep.cli.command_desk import NEWEST, Shown, Values, Wanted
from doorstep.messaging.channels import Call
from doorstep.ownership.actors import OPERATOR
from doorstep.server.channels.actions import cancel, send_command, want_settings
from doorstep.server.channels.models import Downlink
from doorstep.server.channels.queries import command_of, commands_of, detail_of, settings_of
from doorstep.server.clock import now_us
from doorstep.server.fleet.access import named_device

__all__ = ["Here"]


class Here:
    """The database beside us, by whoever may run commands on this machine."""

    def send(self, device: str, call: Call, lasts_s: int) -> Shown:
        """Queue a command."""
        return _of_row(
            send_command(named_device(device), call, lasts_s=lasts_s, by=OPERATOR, now_us=now_us())
        )

    def newest(self, device: str) -> list[Shown]:
        """Return the newest commands."""
        return [_of_row(row) for row in commands_of(named_device(device))[:NEWEST]]

    def again(self, shown: Shown) -> Shown:
        """Return a command as it is now."""
        return _of_row(command_of(named_device(shown.device), shown.command_id))

    def cancel(self, device: str, command_id: str) -> Shown:
        """Withdraw a command."""
        found = command_of(named_device(device), command_id)
        return _of_row(cancel(found, "cancelled by the operator", now_us=now_us()))

    def wanted(self, device: str) -> Wanted:
        """Return a device's settings."""
        shown = settings_of(named_device(device))
        reported = {point.name: point.value for point in shown.reported}
        return Wanted(shown.version, shown.wanted, shown.applied, reported)

    def want(self, device: str, values: Values, seen: int) -> Shown:
        """Replace them, and return the command that tells the device."""
        row = named_device(device)
        want_settings(row, dict(values), seen=seen, by=OPERATOR, now_us=now_us())
        return self.newest(device)[0]


def _of_row(row: Downlink) -> Shown:
    return Shown(
        row.command_id,
        row.device.device_id,
        row.channel,
        row.name,
        row.state,
        detail_of(row),
        row.tries,
        row.asked_us,
        row.closed_us,
    )
