import datetime as dt
import json
import os
import signal
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from doorstep.cli.factory import OpenedBatch, OpenedProduct, build_factory_group
from doorstep.errors import MisuseError, RefusedError
from doorstep.factory.batch import DeviceRecord
from doorstep.factory.run import BatchStopped
from doorstep.identity.assurance import IdentityMethod
from doorstep.identity.provisioning import Servers
from doorstep.onboarding.methods import DEFAULTS
from doorstep.runtime.authority import open_authority
from tests.identity.manifests import ChipMaker, manifest_of

SERVERS = Servers("https://localhost:8443", "localhost", 8883, 1883)


class Platform:
    """Knows one product and remembers what is recorded."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.known: list[DeviceRecord] = []
        self.opened: list[int] = []
        self.methods = DEFAULTS
        self.identity = IdentityMethod.CERTIFICATE
        self.after_record: Callable[[], None] = lambda: None

    def open_product(self, product: str) -> OpenedProduct:
        if product != "greenhouse":
            raise RefusedError(f"there is no product {product}", next_step="make the product first")
        return OpenedProduct(
            product,
            "Greenhouse Sensor",
            self.methods,
            self.identity,
            "ratchet-8",
            SERVERS,
            "",
            lambda ids: {one.hardware_id for one in self.known if one.hardware_id} & set(ids),
            self._open_batch,
        )

    def _open_batch(self, _batch_id: str, count: int) -> OpenedBatch:
        self.opened.append(count)
        authority = open_authority(self.folder / "ca", "Example GmbH", now=dt.datetime.now(dt.UTC))
        return OpenedBatch(b"p" * 32, authority, self._record)

    def _record(self, devices: Sequence[DeviceRecord]) -> None:
        self.known += devices
        self.after_record()


@pytest.fixture
def platform(tmp_path: Path) -> Platform:
    return Platform(tmp_path)


@pytest.fixture
def run(platform: Platform, tmp_path: Path) -> Callable[..., Result]:
    def invoke(*options: str, answer: str = "") -> Result:
        arguments = ["batch", "--product", "greenhouse", "--out", str(tmp_path / "out"), *options]
        return CliRunner().invoke(build_factory_group(platform.open_product), arguments, input=answer)

    return invoke


def test_operator_makes_numbered_devices(
    run: Callable[..., Result], platform: Platform, tmp_path: Path
) -> None:
    result = run("--count", "2", "--serial-prefix", "A-", "--yes")
    assert result.exit_code == 0, result.output
    assert "2 devices" in result.output
    assert [record.serial for record in platform.known] == ["A-00001", "A-00002"]
    assert (tmp_path / "out" / "labels.pdf").exists()


def test_program_reads_one_json_object(run: Callable[..., Result], tmp_path: Path) -> None:
    (tmp_path / "macs.csv").write_text("mac,serial\na0:b1:c2:d3:e4:f5,X-1\nzz,X-2\n")
    result = run("--macs", str(tmp_path / "macs.csv"), "--json")
    assert result.exit_code == 0, result.output
    values = json.loads(result.stdout)
    assert (values["made"], values["asked"]) == (1, 1)
    assert values["devices_per_s"] > 0
    assert values["refused_rows"][0]["line"] == 3
    assert "line 3 refused: 'zz'" in result.stderr


def test_operator_hears_of_invented_addresses(run: Callable[..., Result], tmp_path: Path) -> None:
    (tmp_path / "macs.csv").write_text("mac\n02:00:00:00:00:01\n")
    result = run("--macs", str(tmp_path / "macs.csv"), "--yes")
    assert "line 2: the address is locally administered" in result.stderr


def test_operator_is_asked_and_may_say_no(run: Callable[..., Result], platform: Platform) -> None:
    result = run("--count", "2", answer="n\n")
    assert result.exit_code == 1
    assert "Make 2 devices of product greenhouse" in result.output
    assert not platform.opened


def test_operator_who_is_not_there_hears_of_the_option(
    run: Callable[..., Result], platform: Platform
) -> None:
    result = run("--count", "2")
    assert isinstance(result.exception, MisuseError)
    assert "--yes" in result.exception.next_step
    assert not platform.opened


def test_serials_begin_with_the_batch_id(run: Callable[..., Result], platform: Platform) -> None:
    result = run("--count", "1", answer="y\n")
    assert f"Batch {platform.known[0].serial.removesuffix('-00001')}:" in result.output


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ([], "how many devices"),
        (["--count", "0"], "1 to 100000"),
        (["--macs", "missing.csv"], "cannot be read"),
        (["--count", "1", "--product", "NO"], "not a product key"),
        (["--count", "1", "--product", "unknown"], "no product unknown"),
    ],
)
def test_operator_hears_what_is_wrong(run: Callable[..., Result], options: list[str], reason: str) -> None:
    result = run("--yes", *options)
    assert reason in str(result.exception)


MAKER = ChipMaker()
GOOD = [MAKER.entry(MAKER.chip(number)) for number in (1, 2, 3)]


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    """A manifest with a bad second entry, and its signers."""
    (tmp_path / "manifest.json").write_bytes(manifest_of([GOOD[0], GOOD[1] | {"payload": "AA"}, GOOD[2]]))
    (tmp_path / "signers.pem").write_bytes(MAKER.bundle)
    return {"--manifest": str(tmp_path / "manifest.json"), "--signers": str(tmp_path / "signers.pem")}


def test_operator_makes_devices_of_a_manifest(
    run: Callable[..., Result], platform: Platform, files: dict[str, str], tmp_path: Path
) -> None:
    platform.identity = IdentityMethod.SECURE_ELEMENT
    options = [word for pair in files.items() for word in pair]
    result = run(*options, "--serial-prefix", "A-", "--yes")
    assert result.exit_code == 0, result.output
    assert "entry 2 refused: the signature does not belong" in result.stderr
    assert "Private keys are in the secure elements only" in result.stdout
    assert [record.serial for record in platform.known] == ["A-00001", "A-00003"]
    again = run(*options, "--yes", "--out", str(tmp_path / "again"))
    assert "0 good rows" in str(again.exception)
    assert platform.opened == [2]


def test_program_reads_which_entries_are_refused(
    run: Callable[..., Result], platform: Platform, files: dict[str, str]
) -> None:
    platform.identity = IdentityMethod.SECURE_ELEMENT
    values = json.loads(run(*(word for pair in files.items() for word in pair), "--json").stdout)
    assert [row["entry"] for row in values["refused_rows"]] == [2]


def test_count_must_agree_with_the_good_entries(
    run: Callable[..., Result], platform: Platform, files: dict[str, str]
) -> None:
    platform.identity = IdentityMethod.SECURE_ELEMENT
    result = run(*(word for pair in files.items() for word in pair), "--count", "3", "--yes")
    assert "the file has 2 good rows" in str(result.exception)
    assert not platform.opened


CONTRADICTING: dict[str, tuple[dict[str, str | None], str]] = {
    "no signers": ({"--signers": None}, "a manifest is worth"),
    "signers alone": ({"--manifest": None}, "a manifest is worth"),
    "two files": ({"--macs": "boards.csv"}, "from one file"),
    "no such manifest": ({"--manifest": "missing.json"}, "cannot be read"),
    "no such signers": ({"--signers": "missing.pem"}, "cannot be read"),
    "product with certificates": ({}, "do not have their key in a secure element"),
}


@pytest.mark.parametrize("name", CONTRADICTING)
def test_operator_hears_which_options_of_a_manifest_contradict(
    run: Callable[..., Result], platform: Platform, files: dict[str, str], name: str
) -> None:
    changes, reason = CONTRADICTING[name]
    options = {option: value for option, value in (files | changes).items() if value is not None}
    result = run(*(word for pair in options.items() for word in pair), "--yes")
    assert isinstance(result.exception, MisuseError)
    assert reason in str(result.exception)
    assert not platform.opened


def test_operator_hears_that_elements_need_a_manifest(run: Callable[..., Result], platform: Platform) -> None:
    platform.identity = IdentityMethod.SECURE_ELEMENT
    result = run("--count", "1", "--yes")
    assert "only a manifest" in str(result.exception)
    assert not platform.opened


def test_known_address_is_refused_before_anything_is_made(
    run: Callable[..., Result], platform: Platform, tmp_path: Path
) -> None:
    (tmp_path / "macs.csv").write_text("mac\na0:b1:c2:d3:e4:f5\n")
    run("--macs", str(tmp_path / "macs.csv"), "--yes")
    (tmp_path / "macs.csv").write_text("mac\na0:b1:c2:d3:e4:f6\na0:b1:c2:d3:e4:f5\n")
    result = run("--macs", str(tmp_path / "macs.csv"), "--yes", "--out", str(tmp_path / "again"))
    assert "line 3 refused: a device has the hardware id A0B1C2D3E4F5 already" in result.stderr
    assert platform.opened == [1, 1]


def test_count_must_agree_with_the_file(run: Callable[..., Result], tmp_path: Path) -> None:
    (tmp_path / "macs.csv").write_text("serial\nX-1\n")
    result = run("--macs", str(tmp_path / "macs.csv"), "--count", "2", "--yes")
    assert isinstance(result.exception, MisuseError)
    assert "has 1 good rows" in str(result.exception)


def test_interrupt_stops_between_chunks(run: Callable[..., Result], platform: Platform) -> None:
    """Ctrl-C while the first devices are recorded: they are finished, the rest is named."""
    platform.after_record = lambda: os.kill(os.getpid(), signal.SIGINT)
    result = run("--count", "120", "--yes")
    assert isinstance(result.exception, BatchStopped)
    assert "stopped at your request; 50 of 120" in str(result.exception)
    assert len(platform.known) == 50
