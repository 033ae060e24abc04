"""Every runnable block of the docs runs, in order; see ``pages.py`` for how a page says so."""

import csv
import shutil
from pathlib import Path

import pytest

from doorstep.testing.customer import Customer
from tests.docs.pages import ROOT, Desk, Hands, steps
from tests.wait import until

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
        desk.export("DOORSTEP_TOKEN", ada.make_token("Porch"))


def see(*names: str) -> Hands:
    """Wait until the customer's portal shows readings of these names."""

    def look(desk: Desk) -> None:
        with customer(desk) as ada:
            ada.log_in()
            (device,) = ada.get("/devices")["items"]
            until(
                lambda: set(names) <= {row["name"] for row in ada.readings(device["device_id"])}, seconds=20
            )

    return look


HANDS = {
    "read the label": read_the_label,
    "sign up and make a token": sign_up_and_make_a_token,
    "see readings": see("temperature", "humidity"),
    "see soil": see("soil"),
}


def pages() -> list[Path]:
    every = (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
    return [path for path in every if steps(path.read_text(encoding="utf-8"))]


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_page_shows_what_happens(page: Path, tmp_path: Path) -> None:
    if "mosquitto" in page.name and not shutil.which("mosquitto_pub"):
        pytest.skip("mosquitto-clients is not installed")
    if "own-mosquitto" in page.name and not Path("/usr/sbin/mosquitto").exists():
        pytest.skip("mosquitto is not installed")
    desk = Desk(tmp_path, HANDS)
    try:
        desk.follow(page)
    finally:
        desk.close()
