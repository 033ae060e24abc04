"""The page of commands is what the commands say; ``python -m tests.docs.test_cli_page`` writes it."""

from collections.abc import Iterator
from pathlib import Path

import click

from doorstep.cli import main as cli

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "cli.md"

HEAD = """# The command `doorstep`

Exit codes: 0 it is done, 1 it is done and something is not well, 2 misuse, 3 the other side misbehaved, 4
refused by policy, 5 something that is needed is not there, 130 interrupted. An error says what happened
and, after `Next:`, what to do; with `--json` it is one object `{"error", "next_step"}` on standard error.
Settings come from the environment and `doorstep.toml`: see [settings](settings.md). This page is made from
the code by `python3 tasks.py docs`.
"""


def commands(group: click.Group, path: str = "doorstep") -> Iterator[tuple[str, click.Command]]:
    """Yield every command below a group with the words that call it."""
    context = click.Context(group)
    for name in sorted(group.list_commands(context)):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from commands(command, f"{path} {name}")
        else:
            yield f"{path} {name}", command


def section(path: str, command: click.Command) -> str:
    """Return the part of the page that describes one command."""
    arguments = [parameter for parameter in command.params if isinstance(parameter, click.Argument)]
    usage = " ".join([path, *(argument.make_metavar(click.Context(command)) for argument in arguments)])
    lines = [f"## `{usage}`", "", " ".join((command.help or "").split()), ""]
    options = [option for option in command.params if isinstance(option, click.Option)]
    if options:
        lines += ["| option | what it is |", "|---|---|", *map(row, options), ""]
    return "\n".join(lines)


def row(option: click.Option) -> str:
    """Return one line of the table of options."""
    names = ", ".join(f"`{name}`" for name in option.opts)
    help_text = (option.help or "").replace("|", "\\|")
    needed = " Needed." if option.required else ""
    default = (
        f" Default: `{option.default}`." if option.show_default and option.default not in {None, ""} else ""
    )
    return f"| {names} | {help_text}{needed}{default} |"


def page() -> str:
    """Return the page as it must be."""
    return "\n".join([HEAD, *(section(path, command) for path, command in commands(cli._doorstep))])


def test_page_is_what_the_commands_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == page()


def test_every_option_says_what_it_is() -> None:
    silent = [
        f"{path} {option.opts[0]}"
        for path, command in commands(cli._doorstep)
        for option in command.params
        if isinstance(option, click.Option) and not option.help
    ]
    assert silent == []


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
