"""Microchip's own library makes a manifest that we read; both of us refuse it when a byte changes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from doorstep.identity.manifest import TrustedSigners, read_manifest
from tests.identity.manifests import ChipMaker, manifest_of
from tests.peers import install_peer

_MAKE = """
from pytrustplatform.manifest.manifest_functions import create_manifest_from_certs
create_manifest_from_certs("manifest.json", "log.pem", "log.key", "device.pem", "signer.pem", "TFLXTLS")
"""
_VERIFY = """
from pytrustplatform.manifest.manifest import Manifest, ManifestSigner
signer = ManifestSigner(open("log.pem", "rb").read())
for entry in Manifest(open("manifest.json", "rb").read(), signer_ca=signer):
    entry.verify()
"""
MAKER = ChipMaker()
CHIP = MAKER.chip(7)
SIGNERS = TrustedSigners.from_pem(MAKER.bundle)


@pytest.fixture(scope="module")
def pytrust() -> Path:
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--target", "TARGET"]
    return install_peer("pytrustplatform", [*pip, "pytrustplatform==1.1.4.18"])


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """A folder with the certificates that a manifest is made of."""
    files = {
        "log.pem": MAKER.log.certificate.pem,
        "log.key": MAKER.log.key.to_pem(),
        "device.pem": CHIP.certificate.pem,
        "signer.pem": MAKER.signer.certificate.pem,
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    return tmp_path


def _run(pytrust: Path, program: str, desk: Path) -> bool:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program],
        cwd=desk,
        env=os.environ | {"PYTHONPATH": str(pytrust)},
        capture_output=True,
        timeout=60,
        check=False,
    )
    return done.returncode == 0


@pytest.mark.peer
def test_manifest_of_microchips_library_is_read_and_altered_ones_are_not(pytrust: Path, desk: Path) -> None:
    assert _run(pytrust, _MAKE, desk)
    assert _run(pytrust, _VERIFY, desk)
    manifest = (desk / "manifest.json").read_bytes()
    [element] = read_manifest(manifest, SIGNERS).elements.values()
    assert element.hardware_id == CHIP.unique_id.upper()
    assert element.public_key.spki == CHIP.key.public_key.spki
    [entry] = json.loads(manifest)
    for part in ("payload", "protected", "signature"):
        text = entry[part]
        altered = text[:40] + ("A" if text[40] != "A" else "B") + text[41:]
        (desk / "manifest.json").write_bytes(manifest_of([entry | {part: altered}]))
        assert not _run(pytrust, _VERIFY, desk)
        assert [*read_manifest((desk / "manifest.json").read_bytes(), SIGNERS).refused] == [1]


@pytest.mark.peer
def test_microchips_library_takes_the_manifests_of_our_tests(pytrust: Path, desk: Path) -> None:
    (desk / "manifest.json").write_bytes(manifest_of([MAKER.entry(CHIP)]))
    assert _run(pytrust, _VERIFY, desk)
