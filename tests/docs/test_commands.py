"""Every runnable block of the docs runs, in order; see ``pages.py`` for how a page says so."""

import csv
import shutil
import time
from pathlib import Path

import pytest

from doorstep.testing.customer import Customer
from tests.docs.pages import ROOT, Command, Desk, Step, steps

_PASSWORD = "correct horse battery staple"


def customer(desk: Desk) -> Customer:
    mail = desk.folder / "state" / "mail"
    return Customer(f"http://localhost:{desk.ports['8080']}", "ada@example.org", _PASSWORD, mail)


def read_the_label(desk: Desk) -> None:
    with (desk.folder / "batch" / "labels.csv").open(encoding="utf-8", newline="") as file:
        (code,) = [row["setup_code"] for row in csv.DictReader(file) if row["serial"] == "GH-00001"]
    desk.export("CODE", code)


def sign_up_and_make_a_token(desk: Desk) -> None:
    with customer(desk) as ada:
        ada.sign_up("Ada's greenhouse")
        desk.export("TOKEN", ada.make_token("Porch"))


def see_readings(desk: Desk) -> None:
    with customer(desk) as ada:
        ada.log_in()
        (device,) = ada.get("/devices")["items"]
        deadline = time.monotonic() + 20
        while not (found := ada.readings(device["device_id"])):
            assert time.monotonic() < deadline, "no readings in the portal"
            time.sleep(0.2)
        assert {"temperature", "humidity"} <= {row["name"] for row in found}


HANDS = {
    "read the label": read_the_label,
    "sign up and make a token": sign_up_and_make_a_token,
    "see readings": see_readings,
}


def pages() -> list[Path]:
    every = (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
    return [path for path in every if steps(path.read_text(encoding="utf-8"))]


def test_reader_finds_steps_and_their_output() -> None:
    page = (
        "text\n<!-- run -->\n```console\n$ one \\\n  more\n1\n\n$ two\n```\n```console\n$ not this\n```\n"
        "<!-- hands: wave -->\n"
    )
    assert steps(page) == [
        Step("run", "", (Command("one   more", ("1",)), Command("two", ()))),
        Step("hands", "wave", ()),
    ]


@pytest.mark.slow
@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_page_shows_what_happens(page: Path, tmp_path: Path) -> None:
    if "mosquitto" in page.name and not shutil.which("mosquitto_pub"):
        pytest.skip("mosquitto-clients is not installed")
    desk = Desk(tmp_path, HANDS)
    try:
        desk.follow(page)
    finally:
        desk.close()
