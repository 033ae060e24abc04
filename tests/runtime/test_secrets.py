"""The key file is made once, private, and opens only what it wrapped for the same use."""

from pathlib import Path

import pytest

from doorstep.errors import MisuseError, UnavailableError, VerificationFailed
from doorstep.runtime.secrets import KeyFile


def test_first_start_makes_a_private_key_and_the_next_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "key"
    first = KeyFile.open(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert KeyFile.open(path).derive("django") == first.derive("django")


def test_key_unwraps_what_it_wrapped_for_the_same_use(tmp_path: Path) -> None:
    keys = KeyFile.open(tmp_path / "key")
    wrapped = keys.wrap(b"root", "sealed/1/root")
    assert b"root" not in wrapped
    assert wrapped != keys.wrap(b"root", "sealed/1/root")
    assert keys.unwrap(wrapped, "sealed/1/root") == b"root"
    with pytest.raises(VerificationFailed):
        keys.unwrap(wrapped, "sealed/2/root")
    with pytest.raises(VerificationFailed) as refused:
        KeyFile.open(tmp_path / "another").unwrap(wrapped, "sealed/1/root")
    assert "key file" in refused.value.next_step


def test_purposes_and_deployments_get_different_secrets(tmp_path: Path) -> None:
    one, other = KeyFile.open(tmp_path / "one"), KeyFile.open(tmp_path / "other")
    secrets = {one.derive("a"), one.derive("b"), other.derive("a"), other.derive("b")}
    assert {len(secret) for secret in secrets} == {32}
    assert len(secrets) == 4


def test_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "key"
    KeyFile.open(path)
    path.chmod(0o640)
    with pytest.raises(MisuseError, match="readable by others") as refused:
        KeyFile.open(path)
    assert refused.value.next_step == f"Run: chmod 600 {path}"


@pytest.mark.parametrize("content", [b"", b"x" * 31, b"x" * 33])
def test_damaged_key_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.touch(mode=0o600)
    path.write_bytes(content)
    with pytest.raises(MisuseError, match="is damaged"):
        KeyFile.open(path)


def test_lost_key_is_not_replaced_by_a_new_one(tmp_path: Path) -> None:
    (tmp_path / "ca").mkdir()
    KeyFile.open(tmp_path / "key")
    (tmp_path / "ca" / "root.crt").touch()
    (tmp_path / "key").unlink()
    with pytest.raises(MisuseError, match="is gone") as refused:
        KeyFile.open(tmp_path / "key")
    assert "backup" in refused.value.next_step
    assert not (tmp_path / "key").exists()


def test_key_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="can't be made") as refused:
        KeyFile.open(tmp_path / "none" / "key")
    assert "disk" in refused.value.next_step


def test_repr_shows_no_secret(tmp_path: Path) -> None:
    keys = KeyFile.open(tmp_path / "key")
    assert repr(keys) == "KeyFile()"
