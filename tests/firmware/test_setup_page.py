"""The small board's set-up page, under CPython: what it takes, and what it refuses."""

import importlib.util
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

from tests.firmware.boards import FIRMWARE

HERE = "192.168.4.1"
PHONE, OTHER = b"\xc0\xa8\x04\x02", b"\xc0\xa8\x04\x03"


@pytest.fixture(scope="module")
def module() -> Iterator[ModuleType]:
    name = "doorstep_setup"
    spec = importlib.util.spec_from_file_location(name, FIRMWARE / "micropython" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    sys.modules[name] = loaded
    spec.loader.exec_module(loaded)
    yield loaded
    del sys.modules[name]


@pytest.fixture
def setup(module: ModuleType) -> Any:
    return module.Setup(HERE, lambda: [b"home", b"<\xff>"])


def get(
    setup: Any, target: str, phone: bytes = PHONE, now: int = 0, host: str = HERE
) -> tuple[int, str, str]:
    answer: tuple[int, str, str] = setup.answer(("GET", target, {"host": host}, b""), phone, now)
    return answer


def post(
    setup: Any, body: str, phone: bytes = PHONE, target: str = "/join", **headers: str
) -> tuple[int, str, str]:
    request = ("POST", target, {"host": HERE, **headers}, body.encode())
    answer: tuple[int, str, str] = setup.answer(request, phone, 0)
    return answer


def key_of(setup: Any) -> str:
    return get(setup, "/")[2].partition("name=key value=")[2].partition(">")[0]


def test_page_takes_network_password_and_order_and_tells_how_it_ends(setup: Any) -> None:
    assert get(setup, "/?token=T%2B1&server=http%3A%2F%2Fa")[:2] == (303, "Location: /\r\n")
    page = get(setup, "/")[2]
    assert "value='T+1'" in page
    assert "&lt;\\xff&gt;" in page
    body = f"key={key_of(setup)}&name=caf%C3%A9+1&password=12345678&token=T%2B1&server=http%3A%2F%2Fa"
    assert post(setup, body)[:2] == (303, "Location: /status\r\n")
    assert setup.wanted == ("café 1".encode(), b"12345678")
    assert setup.order == ("T+1", "http://a")
    assert "connecting" in get(setup, "/status")[2]
    setup.ended("The password is <wrong>.")
    failed = get(setup, "/status")[2]
    assert "&lt;wrong&gt;" in failed
    assert "12345678" not in failed
    assert post(setup, body)[0] == 303
    setup.ended("")
    assert "is connected" in get(setup, "/status")[2]
    assert get(setup, "/")[:2] == (303, "Location: /status\r\n")


def test_page_serves_one_phone_at_a_time(setup: Any) -> None:
    key = key_of(setup)
    assert get(setup, "/", OTHER, 179)[0] == 409
    assert get(setup, "/", OTHER, 180)[0] == 200
    assert key_of_phone(setup) != key


def key_of_phone(setup: Any) -> str:
    return get(setup, "/", OTHER, 181)[2].partition("name=key value=")[2].partition(">")[0]


def test_page_leads_probes_here_and_refuses_foreign_hosts_and_origins(setup: Any) -> None:
    assert get(setup, "/generate_204", host="example.org")[:2] == (302, f"Location: http://{HERE}/\r\n")
    key = key_of(setup)
    assert post(setup, f"key={key}&name=a", host="example.org")[0] == 421
    for origin in ("null", "http://example.org"):
        assert post(setup, f"key={key}&name=a", origin=origin)[0] == 403
    assert post(setup, f"key={key}&name=a", origin=f"http://{HERE}")[0] == 303
    assert setup.answer(("PUT", "/", {"host": HERE}, b""), PHONE, 0)[0] == 405


BAD = {
    "another key": ("key=00&name=a", 403),
    "no key": ("name=a", 403),
    "unknown field": ("key=K&name=a&x=1", 400),
    "field twice": ("key=K&name=a&name=b", 400),
    "long name": (f"key=K&name={'a' * 33}", 400),
    "half a percent sign": ("key=K&name=%4", 400),
    "no hexadecimal digits": ("key=K&name=%zz", 400),
    "token that is no text": ("key=K&name=a&token=%ff", 400),
    "no name": ("key=K&password=12345678", 422),
    "short password": ("key=K&name=a&password=1234567", 422),
}


@pytest.mark.parametrize(("body", "status"), BAD.values(), ids=BAD)
def test_page_refuses_a_bad_form_and_changes_nothing(setup: Any, body: str, status: int) -> None:
    assert post(setup, body.replace("K", key_of(setup), 1) if "key=K" in body else body)[0] == status
    assert (setup.wanted, setup.order, setup.state) == (None, None, "open")


def test_page_takes_no_second_network_while_it_tries_one(setup: Any) -> None:
    key = key_of(setup)
    post(setup, f"key={key}&name=a")
    post(setup, f"key={key}&name=b")
    assert setup.wanted == (b"a", b"")
