"""Strangers' clients and libraries against our device and configurator."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from doorstep.crypto import srp6a
from doorstep.onboarding.network import NetworkCredentials
from doorstep.onboarding.protocomm.credentials import Sec1Code
from doorstep.onboarding.protocomm.device import DeviceProfile
from tests.device.serving import NEIGHBOURS, serving
from tests.onboarding.helpers import CREDENTIALS
from tests.peers import install_peer

PIP = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", "TARGET"]
RAINMAKER = [
    "esp-rainmaker-cli==1.14.1",
    "protobuf==7.36.2",
    "cryptography==50.0.2",
    "cffi==2.1.1",
    "pycparser==3.12",
]
CLIENT = Path(__file__).with_name("rainmaker_client.py")

pytestmark = pytest.mark.peer


def _rainmaker() -> Path:
    return install_peer("rainmaker", [*PIP, *RAINMAKER])


def _official_client(
    port: int, pop: str, *arguments: str, user: str = CREDENTIALS.username
) -> "subprocess.CompletedProcess[str]":
    folder = _rainmaker()
    return subprocess.run(
        [sys.executable, "-P", str(CLIENT), f"127.0.0.1:{port}", user, pop, *arguments],
        env=os.environ | {"PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def _result(done: "subprocess.CompletedProcess[str]") -> dict[str, Any]:
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout.split("RESULT ")[1])
    return result


def test_official_client_provisions_our_device() -> None:
    _rainmaker()
    with serving() as served:
        done = _official_client(served.port, CREDENTIALS.pop, "home", "wrong password", "correct horse")
        result = _result(done)
        assert result["states"] == ["failed", "connected"]
        assert "Incorrect Password" in done.stdout
        assert result["found"][0]["ssid"] == "home"
        assert len(result["found"]) == len(NEIGHBOURS)
    (onboarded,) = served.outcomes
    assert onboarded.network == NetworkCredentials(b"home", b"correct horse")
    assert onboarded.order is None


def test_official_client_provisions_our_device_over_bluetooth() -> None:
    folder = _rainmaker()
    checkout = Path(__file__).parents[2]
    done = subprocess.run(
        [
            *(sys.executable, "-P", str(CLIENT.with_name("rainmaker_ble_client.py"))),
            *(CREDENTIALS.username, CREDENTIALS.pop, "home", "wrong password", "correct horse"),
        ],
        env=os.environ | {"PYTHONPATH": f"{folder}:{checkout / 'src'}:{checkout}"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    result = _result(done)
    assert result["states"] == ["failed", "connected"]
    assert (result["found"][0]["ssid"], len(result["found"])) == ("home", len(NEIGHBOURS))
    assert result["joined"] == "home"
    assert "Discovered endpoints via user descriptors: proto-ver, prov-session" in done.stdout


def test_official_client_is_told_of_missing_network() -> None:
    _rainmaker()
    with serving() as served:
        done = _official_client(served.port, CREDENTIALS.pop, "elsewhere", "correct horse")
        assert _result(done)["states"] == ["failed"]
        assert "Incorrect SSID" in done.stdout


def test_official_client_with_wrong_code_is_refused() -> None:
    _rainmaker()
    with serving() as served:
        done = _official_client(served.port, "wrongwrongwrong", "home", "correct horse")
        assert done.returncode != 0
        assert "Failed to verify device proof" in done.stderr
        assert not served.outcomes
        again = _official_client(served.port, CREDENTIALS.pop, "home", "correct horse")
        assert _result(again)["states"] == ["connected"]


OLD_BOARD = DeviceProfile("dev1", Sec1Code("abcd1234"), allow_old_security=True)


def test_official_client_provisions_our_device_of_security_1() -> None:
    _rainmaker()
    with serving(profile=OLD_BOARD) as served:
        done = _official_client(served.port, "abcd1234", "home", "wrong password", "correct horse", user="")
        result = _result(done)
    assert (result["described"]["sec_ver"], result["described"]["sec_patch_ver"]) == (1, 0)
    assert result["states"] == ["failed", "connected"]
    assert len(result["found"]) == len(NEIGHBOURS)
    (onboarded,) = served.outcomes
    assert onboarded.network == NetworkCredentials(b"home", b"correct horse")


def test_official_client_with_wrong_code_of_security_1_is_refused() -> None:
    _rainmaker()
    with serving(profile=OLD_BOARD) as served:
        done = _official_client(served.port, "abcd1235", "home", "correct horse", user="")
        assert done.returncode != 0
        assert not served.outcomes


@pytest.fixture(scope="module")
def srp() -> Any:
    folder = str(install_peer("srp", [*PIP, "srp==1.0.22", "six==1.17.0"]))
    sys.path.append(folder)
    try:
        from srp import _pysrp  # type: ignore[import-not-found]  # noqa: PLC0415 — it lies in a peer's folder
    finally:
        sys.path.remove(folder)
    _pysrp.rfc5054_enable()
    return _pysrp


GROUP = {"n_hex": f"{srp6a.PRIME:x}", "g_hex": "5"}
SALT = b"\x01" + bytes(15)
SECRET = b"\xab" * 32


def test_independent_user_agrees_with_our_device(srp: Any) -> None:
    user = srp.User("doorstep", "abcd1234", srp.SHA512, srp.NG_CUSTOM, **GROUP)
    _, their_public = user.start_authentication()
    verifier = srp6a.make_verifier(b"doorstep", b"abcd1234", SALT)
    proof = user.process_challenge(SALT, srp6a.device_public(verifier, SECRET))
    ours = srp6a.agree_as_device(b"doorstep", SALT, verifier, SECRET, their_public)
    srp6a.check_proof(ours.user_proof, proof)
    user.verify_session(ours.device_proof)
    assert user.authenticated()
    assert user.get_session_key() == ours.key


def test_independent_verifier_agrees_with_our_configurator(srp: Any) -> None:
    salt, verifier = srp.create_salted_verification_key(
        "doorstep", "abcd1234", srp.SHA512, srp.NG_CUSTOM, salt_len=16, **GROUP
    )
    assert srp6a.make_verifier(b"doorstep", b"abcd1234", salt) == verifier.rjust(384, b"\0")
    device = srp.Verifier(
        "doorstep", salt, verifier, srp6a.user_public(SECRET), srp.SHA512, srp.NG_CUSTOM, **GROUP
    )
    _, their_public = device.get_challenge()
    ours = srp6a.agree_as_user(b"doorstep", b"abcd1234", salt, SECRET, their_public)
    assert device.verify_session(ours.user_proof) == ours.device_proof
    assert device.get_session_key() == ours.key


def test_independent_library_agrees_with_the_vectors(srp: Any) -> None:
    stored = json.loads((Path(__file__).parents[2] / "vectors" / "onboarding.json").read_text("utf-8"))
    case = stored["handshake"]
    given = {name: bytes.fromhex(value) for name, value in case.items() if name not in ("username", "code")}
    a, b = (
        given[name].rjust(256, b"\0") for name in ("a", "b")
    )  # the library takes secrets of 256 bytes only
    user = srp.User(case["username"], case["code"], srp.SHA512, srp.NG_CUSTOM, **GROUP, bytes_a=a)
    device = srp.Verifier(
        case["username"],
        given["salt"],
        given["verifier"],
        None,
        srp.SHA512,
        srp.NG_CUSTOM,
        **GROUP,
        bytes_b=b,
    )
    assert user.start_authentication()[1] == given["A"]
    assert device.get_challenge() == (given["salt"], given["B"])
    assert user.process_challenge(given["salt"], given["B"]) == given["M1"]
    assert device.verify_session(given["M1"], given["A"]) == given["M2"]
    assert device.get_session_key() == given["K"]
