"""Settings come from environment over file over defaults; each wrong one is named with what is allowed."""

from dataclasses import fields
from pathlib import Path

import pytest

from doorstep.errors import SettingsError
from doorstep.runtime.settings import SECTIONS, Settings, load, to_environment

CHANGED = {
    "state": Path("/srv/doorstep"),
    "database_url": "postgresql://doorstep:secret@db/doorstep",
    "bind": "0.0.0.0",
    "public_host": "iot.example.org",
    "portal_port": 18080,
    "portal_url": "https://iot.example.org/",
    "device_api_port": 18443,
    "device_api_plain_port": 18480,
    "mqtt_tls_port": 18883,
    "mqtt_plain_port": 11883,
    "nats_server": "/opt/nats-server",
    "nats_secure_port": 14222,
    "nats_plain_port": 14223,
    "nats_secure_url": "nats://a:secret@one:4222",
    "nats_plain_url": "nats://a:secret@two:4222",
    "stream_max_bytes": 1000,
    "sync_interval_s": 5,
    "webhooks_private": True,
    "smtp_url": "smtp://user:secret@mail:587",
    "developer_page": False,
}
"""A value other than the default for every setting."""


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def in_environment(values: dict[str, object]) -> dict[str, str]:
    return {f"DOORSTEP_{key.upper()}": str(value) for key, value in values.items()}


def test_every_setting_stands_in_one_section() -> None:
    keys = [key for section in SECTIONS.values() for key in section]
    assert sorted(keys) == sorted(field.name for field in fields(Settings)) == sorted(CHANGED)


def test_nothing_given_means_embedded_defaults() -> None:
    settings = load({})
    assert settings == Settings()
    assert settings.embedded_database
    assert settings.base_url == "http://localhost:8080"
    assert settings.device_api_url == "https://localhost:8443"
    assert settings.device_api_plain_url == ""


def test_environment_sets_every_setting() -> None:
    settings = load(in_environment(CHANGED))
    assert settings == Settings(**CHANGED)  # type: ignore[arg-type]
    assert settings.base_url == "https://iot.example.org"
    assert settings.device_api_plain_url == "http://iot.example.org:18480"
    assert not settings.embedded_database


def test_file_sets_every_setting(tmp_path: Path) -> None:
    lines = []
    for section, keys in SECTIONS.items():
        lines.append(f"[{section}]")
        for key in keys:
            value = CHANGED[key]
            shown = str(value).lower() if isinstance(value, bool | int) else f'"{value}"'
            lines.append(f"{key} = {shown}")
    file = tmp_path / "own.toml"
    file.write_text("\n".join(lines), encoding="utf-8")
    assert load({}, file) == Settings(**CHANGED)  # type: ignore[arg-type]
    assert load({"DOORSTEP_FILE": str(file)}) == Settings(**CHANGED)  # type: ignore[arg-type]


def test_environment_goes_over_file_in_the_working_folder(tmp_path: Path) -> None:
    (tmp_path / "doorstep.toml").write_text("[portal]\nportal_port = 1\n[broker]\nmqtt_tls_port = 2", "utf-8")
    settings = load({"DOORSTEP_PORTAL_PORT": "3"})
    assert (settings.portal_port, settings.mqtt_tls_port) == (3, 2)


@pytest.mark.parametrize("settings", [Settings(), Settings(**CHANGED)])  # type: ignore[arg-type]
def test_environment_of_settings_loads_them_again(settings: Settings) -> None:
    again = load(to_environment(settings))
    assert again.state == settings.state.absolute()
    assert to_environment(again) == to_environment(settings)


@pytest.mark.parametrize(
    ("text", "named"),
    [("1", True), ("true", True), ("Yes", True), ("0", False), ("FALSE", False), ("no", False)],
)
def test_flag_takes_plain_words(text: str, *, named: bool) -> None:
    assert load({"DOORSTEP_DEVELOPER_PAGE": text}).developer_page is named


@pytest.mark.parametrize("bind", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_developer_page_is_shown_on_loopback(bind: str) -> None:
    assert load({"DOORSTEP_BIND": bind}).developer_page


BAD_VALUES: dict[str, tuple[dict[str, object], str, str]] = {
    "port is a word": ({"portal_port": "web"}, "portal_port: 'web'", "a whole number"),
    "port is zero": ({"portal_port": 0}, "portal_port: 0 is not a TCP port", "1 to 65535"),
    "port is too large": ({"mqtt_tls_port": 65536}, "mqtt_tls_port: 65536", "1 to 65535"),
    "two listeners on one port": ({"portal_port": 8443}, "share one port", "portal_port"),
    "flag is a number": ({"developer_page": "2"}, "developer_page: '2'", "true or false"),
    "unknown database": ({"database_url": "mysql://u:secret@h/d"}, "database_url", "postgresql://"),
    "unknown mail server": ({"smtp_url": "http://u:secret@h"}, "smtp_url", "smtp://"),
    "one broker URL": ({"nats_plain_url": "nats://u:secret@h"}, "only one of", "both"),
    "mail for everybody": ({"bind": "0.0.0.0"}, "developer_page", "127.0.0.1"),
    "mail behind a proxy": ({"portal_url": "https://iot.example.org"}, "developer_page", "localhost"),
    "mail under a public name": ({"public_host": "iot.example.org"}, "developer_page", "localhost"),
    "mail for a name": ({"bind": "iot.example.org"}, "developer_page", "127.0.0.1"),
}


@pytest.mark.parametrize("name", BAD_VALUES)
def test_wrong_setting_is_named_without_its_secret(name: str) -> None:
    values, message, next_step = BAD_VALUES[name]
    with pytest.raises(SettingsError, match=message) as refused:
        load(in_environment(values))
    assert next_step in refused.value.next_step
    assert "secret" not in f"{refused.value.message} {refused.value.next_step}"


BAD_FILES: dict[str, tuple[bytes, str, str]] = {
    "not TOML": (b"[portal", "is not TOML", "Mend"),
    "not text": (b"\xff\xfe", "is not TOML", "Mend"),
    "unknown section": (b"[portl]\nportal_port = 1", r"\[portl\] is not a section", "portal"),
    "setting without section": (b"portal_port = 1", r"\[portal_port\] is not a section", "doorstep"),
    "unknown setting": (b"[portal]\nport = 1", "portal.port is not a setting", "portal_port"),
    "setting in another section": (b"[portal]\nbind = '::1'", "portal.bind is not a setting", "portal_port"),
    "flag for a number": (b"[portal]\nportal_port = true", "portal_port: True", "a whole number"),
    "number for a text": (b"[doorstep]\nbind = 1", "bind: 1", "a text"),
    "number for a path": (b"[doorstep]\nstate = 1", "state: 1", "a path"),
    "number for a URL": (b"[portal]\nportal_url = 1", "portal_url: its value", "a text"),
    "list for a number": (b"[portal]\nportal_port = [1]", r"portal_port: \[1\]", "a whole number"),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_wrong_file_is_refused_by_name(name: str, tmp_path: Path) -> None:
    content, message, next_step = BAD_FILES[name]
    (tmp_path / "doorstep.toml").write_bytes(content)
    with pytest.raises(SettingsError, match=message) as refused:
        load({})
    assert next_step in refused.value.next_step


def test_named_file_must_exist(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"none\.toml is not there"):
        load({}, tmp_path / "none.toml")
    with pytest.raises(SettingsError, match=r"none\.toml is not there"):
        load({"DOORSTEP_FILE": "none.toml"})


def test_file_that_may_not_be_read_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "doorstep.toml").mkdir()
    with pytest.raises(SettingsError, match=r"doorstep\.toml can't be read"):
        load({})


def test_repr_shows_no_secret() -> None:
    assert "secret" not in repr(Settings(**CHANGED))  # type: ignore[arg-type]
