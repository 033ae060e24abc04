import json
import os
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
import zxingcpp
from PIL import Image

from doorstep.crypto.p256 import generate
from doorstep.factory.content import LabelContent
from doorstep.factory.labels import LABELS_PER_PAGE, LabelSheet
from doorstep.factory.qr import draw_qr
from doorstep.identity import claim_code
from doorstep.onboarding.dpp.label_key import device_label
from doorstep.onboarding.label import SetupLabel


def content(
    number: int,
    product_name: str = "Greenhouse Sensor",
    serial: str = "",
    *,
    easy_connect: str = "",
    portal: str = "",
) -> LabelContent:
    device_id = f"abcdefg{'abcdefghijklmnopqrstuvwxyz234567'[number]}"
    code = claim_code.generate(lambda _: number.to_bytes(8, "big"))
    text = SetupLabel(f"PROV_{device_id}", "doorstep", f"setupcode{number:04d}").encode()
    claim_url = f"{portal}/claim/#{serial or f'SN-{number:05d}'}" if portal else ""
    return LabelContent(
        product_name=product_name,
        serial=serial or f"SN-{number:05d}",
        device_id=device_id,
        setup_code=f"setupcode{number:04d}",
        claim_code=code.printed,
        setup_text=text,
        qr=draw_qr(text),
        easy_connect=easy_connect,
        easy_connect_qr=draw_qr(easy_connect) if easy_connect else None,
        claim_url=claim_url,
        claim_qr=draw_qr(claim_url) if claim_url else None,
    )


def sheet(tmp_path: Path, labels: list[LabelContent]) -> Path:
    drawn = LabelSheet("Labels of a test")
    for label in labels:
        drawn.add(label)
    (tmp_path / "labels.pdf").write_bytes(drawn.finish())
    return tmp_path / "labels.pdf"


def needs(program: str) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"needs the {program} program (Debian package poppler-utils)")


def pictures(pdf: Path) -> list[Path]:
    needs("pdftoppm")
    subprocess.run(["pdftoppm", "-r", "200", "-png", pdf.name, "page"], cwd=pdf.parent, check=True)
    return sorted(pdf.parent.glob("page*.png"))


def words(pdf: Path) -> str:
    needs("pdftotext")
    done = subprocess.run(["pdftotext", "-layout", str(pdf), "-"], capture_output=True, check=True, text=True)
    return done.stdout


@pytest.mark.peer
def test_scanner_reads_every_code_back(tmp_path: Path) -> None:
    labels = [content(number) for number in range(LABELS_PER_PAGE + 3)]
    pages = pictures(sheet(tmp_path, labels))
    assert len(pages) == 2
    read = [code.text for page in pages for code in zxingcpp.read_barcodes(Image.open(page))]
    names = sorted(json.loads(text)["name"] for text in read)
    assert names == sorted(f"PROV_{label.device_id}" for label in labels)
    for text in read:
        assert SetupLabel.decode(text).username == "doorstep"


@pytest.mark.peer
def test_scanner_reads_both_codes_of_a_label_that_has_two(tmp_path: Path) -> None:
    uris = {device_label(generate(os.urandom), f"SN-{number:05d}").encode() for number in range(8)}
    labels = [content(number, easy_connect=uri) for number, uri in enumerate(sorted(uris))]
    (page,) = pictures(sheet(tmp_path, labels))
    read = {code.text for code in zxingcpp.read_barcodes(Image.open(page))}
    assert {text for text in read if text.startswith("DPP:")} == uris
    assert len(read) == 16


@pytest.mark.peer
def test_phone_reads_the_claim_page_beside_the_foil(tmp_path: Path) -> None:
    uri = device_label(generate(os.urandom), "SN-00001").encode()
    labels = [content(number, easy_connect=uri, portal="https://devices.example.com") for number in range(8)]
    (page,) = pictures(sheet(tmp_path, labels))
    read = {code.text for code in zxingcpp.read_barcodes(Image.open(page))}
    pages = {f"https://devices.example.com/claim/#SN-{number:05d}" for number in range(8)}
    assert read == pages | {uri} | {label.setup_text for label in labels}
    shown = words(tmp_path / "labels.pdf")
    assert "Claim it" in shown
    for label in labels:
        assert label.claim_code not in label.claim_url


@pytest.mark.peer
def test_person_reads_what_the_code_says(tmp_path: Path) -> None:
    shown = words(sheet(tmp_path, [content(5)]))
    for text in ("Greenhouse Sensor", "SN-00005", "abcdefgf", "setupcode0005", "Scratch here", "Report it"):
        assert text in shown
    (printed,) = re.findall(r"[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]", shown)
    assert printed == content(5).claim_code


@pytest.mark.peer
def test_long_serial_stays_whole_on_its_label(tmp_path: Path) -> None:
    serial = "W" * 40
    assert serial in words(sheet(tmp_path, [content(1, serial=serial)]))


@pytest.mark.peer
@pytest.mark.parametrize(
    ("name", "shown"),
    [("Kühlwächter für Großküchen", "Kühlwächter für Großküchen"), ("温室センサー", "abcdefgb")],
)
def test_label_shows_name_or_device_id(tmp_path: Path, name: str, shown: str) -> None:
    assert shown in words(sheet(tmp_path, [content(1, name)]))


def test_same_labels_give_the_same_file(tmp_path: Path) -> None:
    first = sheet(tmp_path, [content(1)]).read_bytes()
    assert sheet(tmp_path, [content(1)]).read_bytes() == first


def test_label_takes_less_room_than_is_kept_for_it(tmp_path: Path) -> None:
    uri = device_label(generate(os.urandom), "W" * 40).encode()
    portal = f"https://{'w' * 60}.example"
    few, many = (
        sheet(tmp_path, [content(n, serial="W" * 40, easy_connect=uri, portal=portal) for n in range(count)])
        .stat()
        .st_size
        for count in (8, 32)
    )
    assert (many - few) / 24 < 12 * 1024
    assert few < 256 * 1024


def test_qr_path_draws_each_dark_module_once() -> None:
    path = draw_qr("text")
    dark: set[tuple[int, int]] = set()
    for line in path.operators.splitlines():
        x, y, width, height, operator = line.split()
        assert (height, operator) == ("1", "re")
        run = {(int(x) + step, int(y)) for step in range(int(width))}
        assert not run & dark
        dark |= run
    assert {(0, 0), (6, 6), (path.modules - 1, path.modules - 1)} <= dark
    assert (7, 0) not in dark, "the finder pattern has a light border"
    assert all(0 <= x < path.modules and 0 <= y < path.modules for x, y in dark)


def test_codes_never_show_in_repr() -> None:
    shown = repr(content(3))
    assert "setupcode" not in shown
    assert content(3).claim_code not in shown


@pytest.mark.peer
def test_label_of_a_micro_access_point_shows_its_key_and_the_code_that_joins_it(tmp_path: Path) -> None:
    plain = content(3)
    label = SetupLabel(f"PROV_{plain.device_id}", "doorstep", "abc", password="abcdefgh23456765")
    wifi = replace(plain, wifi_key=label.password, wifi_qr=draw_qr(label.encode_wifi()))
    (page,) = pictures(sheet(tmp_path, [wifi]))
    read = {code.text for code in zxingcpp.read_barcodes(Image.open(page))}
    assert read == {plain.setup_text, label.encode_wifi()}
    shown = words(tmp_path / "labels.pdf")
    assert "abcdefgh23456765" in shown
    assert "setupcode0003" in shown
