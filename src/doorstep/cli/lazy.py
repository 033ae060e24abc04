"""A group that lists its commands without importing them."""

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import click

__all__ = ["Later", "LazyGroup"]


@dataclass(frozen=True, slots=True)
class Later:
    """A command that is imported when it is called."""

    where: str
    """``module:attribute``."""
    sentence: str
    """What its group's help says of it: the command's own first sentence. Empty: it isn't listed."""


class LazyGroup(click.Group):
    """A group that knows where its commands are and what to say of them; each module waits for its call."""

    def __init__(self, *arguments: Any, later: Mapping[str, Later], **named: Any) -> None:
        """Take what click's group takes, and the commands by name."""
        super().__init__(*arguments, **named)
        self.later = later

    def list_commands(self, ctx: click.Context) -> list[str]:
        """See click.Group."""
        return [*super().list_commands(ctx), *self.later]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """See click.Group; imports the command's module."""
        if cmd_name not in self.later:
            return super().get_command(ctx, cmd_name)
        module, attribute = self.later[cmd_name].where.split(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        """See click.Group; imports nothing."""
        rows = [(name, each.sentence) for name, each in self.later.items() if each.sentence]
        with formatter.section("Commands"):
            formatter.write_dl(rows)
