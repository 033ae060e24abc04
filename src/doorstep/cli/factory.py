"""``doorstep factory``: make batches of devices."""

import dataclasses
import json
import os
import signal
import sys
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from doorstep.cli.factory_orders import Wanted
from doorstep.errors import MisuseError, RefusedError
from doorstep.factory import orders
from doorstep.factory.batch import BatchRequest, DeviceRecord
from doorstep.factory.orders import Orders
from doorstep.factory.run import BatchResult, run_batch
from doorstep.identity.assurance import IdentityMethod
from doorstep.identity.ids import check_product_key
from doorstep.identity.provisioning import SealedVariant, Servers
from doorstep.runtime.authority import Authority

__all__ = ["OpenProduct", "OpenedBatch", "OpenedProduct", "build_factory_group"]


@dataclass(frozen=True, slots=True)
class OpenedProduct:
    """What the platform knows of a product whose devices somebody wants to make."""

    key: str
    name: str
    methods: tuple[str, ...]
    """Keys of the product's onboarding methods."""
    identity: IdentityMethod
    sealed: SealedVariant
    servers: Servers
    portal: str
    """Address whose claim page labels name; empty: they name none."""
    known: Callable[[Collection[str]], Collection[str]]
    """Which of these hardware ids a device has already."""
    open_batch: "Callable[[str, int], OpenedBatch]"
    """Opens a batch by its id and number of devices."""

    def accept(self, wanted: Orders) -> Orders:
        """Refuse rows of devices that are known; raise `MisuseError` where the product can have none."""
        wanted.check(self.identity, self.methods)
        return wanted.without(self.known([one.hardware_id for one in wanted.devices if one.hardware_id]))

    def request(self, batch_id: str, wanted: Orders, pepper: bytes, now: datetime) -> BatchRequest:
        """Say what to make."""
        return BatchRequest(
            batch_id,
            self.key,
            self.name,
            wanted.devices,
            self.servers,
            pepper,
            now,
            self.methods,
            self.identity,
            self.sealed,
            self.portal,
        )


@dataclass(frozen=True, slots=True)
class OpenedBatch:
    """What the platform contributes to a batch that it is about to record."""

    pepper: bytes = field(repr=False)
    authority: Authority
    record: Callable[[Sequence[DeviceRecord]], None]


OpenProduct = Callable[[str], OpenedProduct]
"""Finds a product in the platform by its key."""


def build_factory_group(open_product: OpenProduct) -> click.Group:
    """Return the command group ``factory`` over a platform that records devices."""

    @click.group()
    def factory() -> None:
        """Make devices."""

    @factory.command()
    @click.option("--product", required=True, help="Key of the product.")
    @click.option("--count", type=int, help="Number of devices; with a file, the file decides.")
    @click.option(
        "--macs",
        type=click.Path(path_type=Path),
        help="CSV file with the columns mac, serial or both: one device a row.",
    )
    @click.option(
        "--manifest",
        type=click.Path(path_type=Path),
        help="The chip maker's signed manifest of secure elements: one device an entry.",
    )
    @click.option(
        "--signers",
        type=click.Path(path_type=Path),
        help="PEM file with the manifest signers and the CAs of elements that are trusted.",
    )
    @click.option("--serial-prefix", help="Serials are this and a number; default: the batch id and a dash.")
    @click.option(
        "--out", type=click.Path(path_type=Path), help="Empty or new folder; default: batch-<batch id>."
    )
    @click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON object.")
    @click.option("--yes", is_flag=True, help="Do not ask.")
    def batch(  # noqa: PLR0913 - one parameter for each option
        *,
        product: str,
        count: int | None,
        macs: Path | None,
        manifest: Path | None,
        signers: Path | None,
        serial_prefix: str | None,
        out: Path | None,
        as_json: bool,
        yes: bool,
    ) -> None:
        """Make a batch: keys, certificates, provisioning files, NVS images and labels."""
        check_product_key(product)
        now = datetime.now(UTC)
        batch_id = orders.new_batch_id(now, os.urandom)
        prefix = f"{batch_id}-" if serial_prefix is None else serial_prefix
        asked = Wanted(count, macs, manifest, signers)
        rows = asked.orders(prefix)
        of = open_product(product)
        wanted = of.accept(rows)
        _show_rows(wanted)
        asked.check_count(len(wanted.devices))
        folder = out or Path(f"batch-{batch_id}")
        _confirm(len(wanted.devices), product, folder, ask=not (yes or as_json))
        opened = of.open_batch(batch_id, len(wanted.devices))
        request = of.request(batch_id, wanted, opened.pepper, now)
        with _progress(len(wanted.devices), hidden=as_json) as advance:
            result = run_batch(request, opened.authority, folder, opened.record, advance)
        _show_result(result, wanted, as_json=as_json)

    return factory


def _confirm(count: int, product: str, folder: Path, *, ask: bool) -> None:
    if not ask:
        return
    try:
        agreed = click.confirm(f"Make {count} devices of product {product} in {folder}?", err=True)
    except click.Abort:
        if sys.stdin.isatty():
            raise
        raise MisuseError("nobody answered whether to make the batch", next_step="Add --yes.") from None
    if not agreed:
        raise click.Abort


def _show_rows(wanted: Orders) -> None:
    for row in wanted.refused:
        click.secho(f"{wanted.unit} {row.number} refused: {row.reason}", fg="red", err=True)
    for row in wanted.suspicious:
        click.secho(f"{wanted.unit} {row.number}: {row.reason}", fg="yellow", err=True)


@contextmanager
def _progress(total: int, *, hidden: bool) -> Iterator[Callable[[int], None]]:
    """Show a bar, and turn Ctrl-C into a stop between two chunks, where nothing is half done."""
    stops: list[int] = []

    def note_stop(number: int, frame: FrameType | None) -> None:
        if stops:
            signal.default_int_handler(number, frame)
        stops.append(number)

    columns = (
        TextColumn("Making devices"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[speed]}"),
        TimeRemainingColumn(),
    )
    before = signal.signal(signal.SIGINT, note_stop)
    try:
        with Progress(*columns, console=Console(stderr=True), disable=hidden) as bar:
            task = bar.add_task("", total=total, speed="")

            def advance(count: int) -> None:
                bar.advance(task, count)
                speed = bar.tasks[0].speed
                bar.update(task, speed=f"{speed:.0f}/s" if speed else "")
                if stops and not bar.finished:
                    raise RefusedError("stopped at your request")

            yield advance
    finally:
        signal.signal(signal.SIGINT, before)


def _show_result(result: BatchResult, wanted: Orders, *, as_json: bool) -> None:
    if as_json:
        rows = [{wanted.unit: row.number, "reason": row.reason} for row in wanted.refused]
        values = dataclasses.asdict(result) | {
            "devices_per_s": round(result.devices_per_s, 1),
            "refused_rows": rows,
        }
        click.echo(json.dumps(values))
        return
    where = "the secure elements" if wanted.unit == "entry" else "these files"
    click.echo(
        f"Batch {result.batch_id}: {result.made} devices in {result.seconds:.1f} s "
        f"({result.devices_per_s:.0f}/s)\n"
        f"  {result.folder}/devices        one provisioning file and one NVS image a device: secret\n"
        f"  {result.folder}/labels.pdf     set-up codes and claim codes: secret until attached\n"
        f"  {result.folder}/labels.csv     the same as data, for a label printer\n"
        f"  {result.folder}/manifest.csv   serials, device ids, hardware ids, fingerprints\n"
        f"Private keys are in {where} only. Delete the folder when the devices are flashed and labelled."
    )
