import csv
import json
import os
import stat
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from doorstep.errors import MisuseError, RefusedError, UnavailableError
from doorstep.factory.batch import DeviceRecord
from doorstep.factory.orders import read_rows
from doorstep.factory.run import BatchStopped, run_batch
from doorstep.identity import claim_code
from doorstep.identity.ids import DeviceIdTaken
from doorstep.identity.provisioning import Provisioning
from doorstep.onboarding.label import SetupLabel
from tests.factory.making import authority, request
from tests.small_disk import on_small_disk

pytestmark = pytest.mark.roles


class Book:
    """A platform in memory: knows devices, and refuses from the n-th call on."""

    def __init__(self, refuse_from: int = 1000) -> None:
        self.known: list[DeviceRecord] = []
        self.calls = 0
        self.refuse_from = refuse_from

    def record(self, devices: Sequence[DeviceRecord]) -> None:
        self.calls += 1
        if self.calls >= self.refuse_from:
            raise MisuseError("serial SN-00051 is taken already", next_step="choose other serials")
        self.known += devices


def ignore(_count: int) -> None:
    pass


def files(out: Path) -> list[str]:
    return sorted(path.name for path in out.iterdir())


def test_operator_gets_a_whole_private_folder(tmp_path: Path) -> None:
    book, steps, out = Book(), list[int](), tmp_path / "batch"
    result = run_batch(request(5), authority(), out, book.record, steps.append, workers=1)
    assert (result.made, result.asked, steps) == (5, 5, [5])
    assert result.devices_per_s > 0
    assert files(out) == ["batch.json", "devices", "labels.csv", "labels.pdf", "manifest.csv"]
    assert len([*(out / "devices").iterdir()]) == 10
    for path in (out, *out.rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)
    assert json.loads((out / "batch.json").read_bytes())["made"] == 5


def test_labels_stand_as_data_before_devices_are_published(tmp_path: Path) -> None:
    out = tmp_path / "batch"

    def look(_count: int) -> None:
        # What a power cut would leave: the rows, then the room that is kept for the others.
        rows = [*csv.DictReader((out / "labels.csv").read_text().rstrip("\0").splitlines())]
        serials = {path.name.removesuffix(".json") for path in (out / "devices").glob("*.json")}
        assert serials == {row["serial"] for row in rows}

    run_batch(request(60), authority(), out, Book().record, look, workers=1)
    rows = [*csv.DictReader((out / "labels.csv").read_text().splitlines())]
    assert len(rows) == 60
    assert claim_code.parse(rows[0]["claim_code"]).printed == rows[0]["claim_code"]
    assert SetupLabel.decode(rows[0]["setup"]).pop == rows[0]["setup_code"]


def test_manifest_names_every_device_and_no_secret(tmp_path: Path) -> None:
    book, out = Book(), tmp_path / "batch"
    run_batch(request(3), authority(), out, book.record, ignore, workers=1)
    text = (out / "manifest.csv").read_text()
    rows = [*csv.DictReader(text.splitlines())]
    assert [row["fingerprint"] for row in rows] == [record.fingerprint for record in book.known]
    for record in book.known:
        file = Provisioning.from_json((out / "devices" / f"{record.serial}.json").read_bytes())
        assert file.device_id == record.device_id
        assert file.root_key.hex() not in text


def test_platform_knows_devices_before_anything_is_published(tmp_path: Path) -> None:
    out = tmp_path / "batch"
    published: list[int] = []

    def record(_devices: Sequence[DeviceRecord]) -> None:
        published.append(len([*(out / "devices").iterdir()]))

    run_batch(request(75), authority(), out, record, ignore, workers=1)
    assert published == [0, 100]


def test_refused_record_leaves_earlier_devices_complete(tmp_path: Path) -> None:
    book, out = Book(refuse_from=2), tmp_path / "batch"
    with pytest.raises(BatchStopped) as caught:
        run_batch(request(65), authority(), out, book.record, ignore, workers=1)
    assert "SN-00051 is taken" in caught.value.message
    assert "50 of 65" in caught.value.message
    assert "choose other serials" in caught.value.next_step
    assert "remaining.csv" in caught.value.next_step
    assert caught.value.remaining == tuple(f"SN-{n:05d}" for n in range(51, 66))
    assert len([*(out / "devices").iterdir()]) == 100 == 2 * len(book.known)
    assert files(out) == [
        "batch.json",
        "devices",
        "labels.csv",
        "labels.pdf",
        "manifest.csv",
        "remaining.csv",
    ]
    again = read_rows((out / "remaining.csv").read_bytes(), "P-").devices
    assert again == request(65).devices[50:]


def test_taken_device_id_is_drawn_again(tmp_path: Path) -> None:
    seen: list[Sequence[DeviceRecord]] = []

    def record(devices: Sequence[DeviceRecord]) -> None:
        seen.append(devices)
        if len(seen) == 1:
            raise DeviceIdTaken("a device id is taken already")

    out = tmp_path / "batch"
    assert run_batch(request(3), authority(), out, record, ignore, workers=1).made == 3
    first, second = seen
    assert [one.serial for one in first] == [one.serial for one in second]
    assert not {one.device_id for one in first} & {one.device_id for one in second}
    for one in second:
        file = Provisioning.from_json((out / "devices" / f"{one.serial}.json").read_bytes())
        assert file.device_id == one.device_id


def test_refusal_at_once_leaves_nothing(tmp_path: Path) -> None:
    out = tmp_path / "batch"
    with pytest.raises(BatchStopped, match="0 of 3"):
        run_batch(request(3), authority(), out, Book(refuse_from=1).record, ignore, workers=1)
    assert not out.exists()


def test_operator_stops_between_chunks(tmp_path: Path) -> None:
    def stop(_count: int) -> None:
        raise RefusedError("stopped at your request")

    book = Book()
    with pytest.raises(BatchStopped, match="stopped at your request; 50 of 60"):
        run_batch(request(60), authority(), tmp_path / "batch", book.record, stop, workers=1)
    assert len(book.known) == 50


def test_unexpected_failure_still_closes_the_folder(tmp_path: Path) -> None:
    def broken(_count: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_batch(request(60), authority(), tmp_path / "batch", Book().record, broken, workers=1)
    assert "labels.pdf" in files(tmp_path / "batch")
    assert "remaining.csv" in files(tmp_path / "batch")


def test_dead_worker_stops_the_batch(tmp_path: Path) -> None:
    def kill_workers(_count: int) -> None:
        for pid in _children():
            os.kill(pid, 9)

    with pytest.raises(BatchStopped, match=r"a process that makes devices died; \d+ of 300"):
        run_batch(request(300), authority(), tmp_path / "batch", Book().record, kill_workers, workers=2)


def _children() -> list[int]:
    """Processes of ours that make devices."""
    path = Path(f"/proc/self/task/{os.getpid()}/children")
    if not path.exists():
        pytest.skip("needs /proc/self/task/…/children")
    pids = [int(pid) for pid in path.read_text().split()]
    return [pid for pid in pids if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]


def test_occupied_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("precious")
    with pytest.raises(MisuseError, match="holds something"):
        run_batch(request(1), authority(), tmp_path, Book().record, ignore)
    with pytest.raises(MisuseError, match="holds something"):
        run_batch(request(1), authority(), tmp_path / "mine", Book().record, ignore)
    assert files(tmp_path) == ["mine"]


def test_unwritable_place_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UnavailableError, match="cannot be written") as caught:
        run_batch(request(1), authority(), tmp_path / "file" / "x", Book().record, ignore)
    assert "Nothing was made" in caught.value.next_step


def test_full_disk_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    shown = on_small_disk(tmp_path, "1m", "tests.factory.full_disk", "at-once")
    assert "devices need" in shown
    assert "recorded 0" in shown
    assert "files 0" in shown


def test_disk_that_fills_up_costs_no_finished_device(tmp_path: Path) -> None:
    shown = on_small_disk(tmp_path, "6m", "tests.factory.full_disk", "later")
    assert "No space left on device; 50 of 75" in shown
    assert "recorded 50" in shown
    assert "files 100" in shown
    assert "labels whole" in shown
    assert "remaining 25" in shown


@pytest.mark.slow
@pytest.mark.alone
def test_five_hundred_devices_are_made_quickly(tmp_path: Path) -> None:
    book, started = Book(), time.monotonic()
    result = run_batch(request(500), authority(), tmp_path / "batch", book.record, ignore)
    assert result.made == len(book.known) == 500
    # 10,000 in 120 s on two cores are 6 s for 500; three times that leaves room for a busy machine.
    assert time.monotonic() - started < 18


def test_label_printer_reads_the_rows_that_the_sheet_shows(tmp_path: Path) -> None:
    book, out = Book(), tmp_path / "batch"
    run_batch(request(3), authority(), out, book.record, ignore, workers=1)
    with (out / "labels.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["device_id"] for row in rows] == [device.device_id for device in book.known]
    for row in rows:
        label = SetupLabel.decode(row["setup"])
        assert label.pop == row["setup_code"]
        assert label.name.endswith(row["device_id"])
        assert claim_code.parse(row["claim_code"]).printed == row["claim_code"]
