import os
import stat
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from doorstep.crypto import p256
from doorstep.crypto.p256 import PrivateKey
from doorstep.crypto.x509 import build_request
from doorstep.device import store as device_store
from doorstep.device.store import MAX_SKIPPED_EPOCHS, Broker, Endpoint, Store, Ticket
from doorstep.errors import MisuseError, UnavailableError
from doorstep.identity.provisioning import Provisioning
from doorstep.messaging.keys import owner_change, run_ahead
from doorstep.onboarding.network import EapMethod, Enterprise, NetworkCredentials, StaticAddress
from doorstep.runtime.authority import Authority
from doorstep.runtime.state import write_private
from tests.device.conftest import MakeDevice

BROKER = Broker(Endpoint("localhost", 8883), Endpoint("localhost", 1883))


def certificate_for(authority: Authority, key: p256.PrivateKey, device: str) -> str:
    issued = authority.issue_operational(
        build_request(key, device), device_id=device, now=datetime.now(UTC), lifetime=timedelta(days=7)
    )
    return (issued.pem + authority.operations.certificate.pem).decode()


def test_store_keeps_the_identity_without_its_root_key(store: Store, made: Provisioning) -> None:
    assert store.identity() is None
    store.adopt(made)
    kept = store.identity()
    assert kept is not None
    assert (kept.device_id, kept.private_key) == (made.device_id, made.private_key)
    assert kept.root_key == bytes(32)


def test_agent_says_that_it_cannot_use_a_secure_element(store: Store, made: Provisioning) -> None:
    with pytest.raises(MisuseError, match="no driver"):
        store.adopt(replace(made, identity="secure_element", private_key=""))
    assert store.identity() is None


def test_first_boot_uses_the_factory_root_and_forgets_it(store: Store, made: Provisioning) -> None:
    store.adopt(made)
    state = store.begin_epoch()
    assert (state.epoch, state.root) == (0, made.root_key)
    assert (store.next_epoch(), store.begin_epoch().root) == (1, run_ahead(made.root_key, 1))


def test_no_file_is_open_to_others(store: Store, made: Provisioning) -> None:
    store.adopt(made)
    store.keep_network(NetworkCredentials(b"home", b"correct horse"))
    store.keep_ticket(Ticket("token", "https://localhost"))
    store.staged_key(os.urandom)
    assert stat.S_IMODE(store.folder.stat().st_mode) == 0o700
    modes = {
        path.name: stat.S_IMODE(path.stat().st_mode) for path in store.folder.iterdir() if path.name != "lock"
    }
    assert set(modes.values()) == {0o600}
    assert len(modes) == 6


def test_importing_again_never_brings_an_epoch_back(store: Store, made: Provisioning) -> None:
    store.adopt(made)
    store.begin_epoch()
    store.adopt(made)
    assert store.next_epoch() == 1


def test_import_mends_a_lost_epoch_only_together_with_a_new_registration(
    store: Store, made: Provisioning, authority: Authority
) -> None:
    store.adopt(made)
    chain = certificate_for(authority, store.staged_key(os.urandom), made.device_id)
    store.stage_operational(chain, "https://localhost", BROKER, now_us=7)
    (store.folder / "sealed.json").unlink()
    with pytest.raises(MisuseError, match="may not send"):
        store.begin_epoch()
    store.adopt(made)
    assert store.operational() is None
    store.skip_epochs(41)
    assert store.begin_epoch().root == run_ahead(made.root_key, 41)


def test_store_refuses_to_become_another_device(
    store: Store, made: Provisioning, make_device: MakeDevice
) -> None:
    store.adopt(made)
    with pytest.raises(MisuseError, match="belongs to device"):
        store.adopt(make_device())


def test_second_agent_is_refused(store: Store) -> None:
    with pytest.raises(MisuseError, match="another agent"):
        Store.open(store.folder)
    store.close()
    Store.open(store.folder).close()


def test_folder_open_to_others_is_refused(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir(mode=0o755)
    with pytest.raises(MisuseError, match="open to other users"):
        Store.open(tmp_path / "open")


def test_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UnavailableError, match="can't be used"):
        Store.open(tmp_path / "file" / "device")


def test_half_written_files_are_swept(store: Store) -> None:
    (store.folder / ".sealed.json.1234").write_bytes(b"half")
    store.close()
    Store.open(store.folder).close()
    assert not [*store.folder.glob(".*")]


def test_full_disk_is_named_and_loses_nothing(
    store: Store, made: Provisioning, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.adopt(made)

    def full(_path: Path, _data: bytes) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("doorstep.device.store.write_private", full)
        with pytest.raises(UnavailableError, match=r"sealed\.json can't be written: No space left"):
            store.begin_epoch()
    assert store.begin_epoch().epoch == 0


def test_damaged_file_is_named(store: Store) -> None:
    (store.folder / "network.json").write_bytes(b"{")
    with pytest.raises(MisuseError, match=r"network\.json is damaged"):
        store.network()


def test_network_and_ticket_are_kept_and_forgotten(store: Store) -> None:
    assert (store.network(), store.ticket()) == (None, None)
    network, ticket = NetworkCredentials(b"caf\xe9", b"correct horse"), Ticket("token", "https://localhost")
    store.keep_network(network)
    store.keep_ticket(ticket)
    assert (store.network(), store.ticket()) == (network, ticket)
    assert "horse" not in repr(network)
    assert "token" not in repr(ticket).removeprefix("Ticket")
    peap = Enterprise(EapMethod.PEAP, "lamp", b"\x30ca", password=b"p\xff")
    detailed = NetworkCredentials(
        b"office", enterprise=peap, static=StaticAddress("192.0.2.7/24", "192.0.2.1", ("9.9.9.9",))
    )
    store.keep_network(detailed)
    assert store.network() == detailed
    store.forget_network()
    store.drop_ticket()
    assert (store.network(), store.ticket()) == (None, None)


def test_staged_key_stays_until_its_certificate_is_committed(
    store: Store, made: Provisioning, authority: Authority
) -> None:
    key = store.staged_key(os.urandom)
    assert store.staged_key(os.urandom).to_pem() == key.to_pem()
    assert store.operational() is None
    store.stage_operational(
        certificate_for(authority, key, made.device_id), "https://api.example:8443", BROKER, now_us=7
    )
    kept = store.operational()
    assert kept is not None
    assert kept.certificate is not None
    assert kept.file is not None
    assert kept.certificate.public_key.spki == key.public_key.spki
    assert (kept.device_api, kept.broker, kept.since_us) == ("https://api.example:8443", BROKER, 7)
    assert kept.file.read_bytes().startswith(key.to_pem())
    assert store.staged_key(os.urandom).to_pem() != key.to_pem()
    store.drop_operational()
    assert store.operational() is None


def test_device_without_certificate_works_by_its_root_key(store: Store, made: Provisioning) -> None:
    store.adopt(replace(made, private_key="", certificate_chain="", identity="symmetric_key"))
    assert store.operational() is None
    store.commit_by_root(Broker(None, BROKER.plain), now_us=7)
    kept = store.operational()
    assert kept is not None
    assert (kept.certificate, kept.file, kept.since_us) == (None, None, 7)
    assert kept.not_after_us > 30 * 86_400_000_000
    store.drop_operational()
    assert store.operational() is None


def test_old_certificate_stays_until_a_session_was_opened_with_the_new(
    store: Store, made: Provisioning, authority: Authority
) -> None:
    for _ in range(2):
        key = store.staged_key(os.urandom)
        store.stage_operational(
            certificate_for(authority, key, made.device_id), "https://a", BROKER, now_us=7
        )
    fresh, old = store.certificates()
    assert (fresh.staged, old.staged) == (True, False)
    assert store.operational() == fresh
    store.commit_operational()
    (held,) = store.certificates()
    assert not held.staged
    assert held.certificate is not None
    assert fresh.certificate is not None
    assert held.certificate.der == fresh.certificate.der
    store.drop_operational()
    assert store.certificates() == []


@pytest.mark.parametrize("at", range(1, 6))
@pytest.mark.parametrize("half", [False, True])
def test_device_holds_a_certificate_after_a_cut_at_every_write(  # noqa: PLR0913, PLR0917 - fixtures
    store: Store,
    made: Provisioning,
    authority: Authority,
    monkeypatch: pytest.MonkeyPatch,
    at: int,
    half: bool,  # noqa: FBT001 - a table's column
) -> None:
    """KEY-01 for the client certificate."""
    store.adopt(made)
    first = certificate_for(authority, store.staged_key(os.urandom), made.device_id)
    store.stage_operational(first, "https://a", BROKER, now_us=7)
    writes = 0

    def cutting(path: Path, data: bytes) -> None:
        nonlocal writes
        writes += 1
        if writes == at:
            if half:
                path.with_name(f".{path.name}.1").write_bytes(data[: len(data) // 2])
            raise KeyboardInterrupt
        write_private(path, data)

    monkeypatch.setattr(device_store, "write_private", cutting)
    with suppress(KeyboardInterrupt):
        again = certificate_for(authority, store.staged_key(os.urandom), made.device_id)
        store.stage_operational(again, "https://a", BROKER, now_us=8)
        store.commit_operational()
    store.close()
    reopened = Store.open(store.folder)
    held = reopened.certificates()
    assert held
    for one in held:
        assert one.file is not None
        assert one.certificate is not None
        assert PrivateKey.from_pkcs8(one.file.read_bytes()).public_key.spki == one.certificate.public_key.spki
    reopened.close()


def test_certificate_of_another_key_is_not_committed(
    store: Store, made: Provisioning, authority: Authority
) -> None:
    store.staged_key(os.urandom)
    stranger = certificate_for(authority, p256.generate(os.urandom), made.device_id)
    with pytest.raises(MisuseError, match="another key"):
        store.stage_operational(stranger, "https://localhost", BROKER, now_us=7)
    assert store.operational() is None


def test_platform_cannot_make_the_device_run_for_ever(store: Store, made: Provisioning) -> None:
    store.adopt(made)
    with pytest.raises(MisuseError, match="speaks of epoch"):
        store.skip_epochs(MAX_SKIPPED_EPOCHS + 1)
    assert store.next_epoch() == 0


@given(moves=st.lists(st.one_of(st.none(), st.integers(0, 60)), max_size=8))
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_no_epoch_is_ever_given_twice(
    tmp_path_factory: pytest.TempPathFactory, made: Provisioning, moves: list[int | None]
) -> None:
    """None is a boot; a number is the platform's word about the first free epoch."""
    store = Store.open(tmp_path_factory.mktemp("state"))
    store.adopt(made)
    used: list[int] = []
    for move in moves:
        if move is None:
            state = store.begin_epoch()
            assert state.root == run_ahead(made.root_key, state.epoch)
            used.append(state.epoch)
        else:
            store.skip_epochs(move)
        store.adopt(made)
    store.close()
    assert used == sorted(set(used))


NONCE = b"sixteen bytes ok"


def test_root_is_mixed_once_in_the_epoch_that_the_platform_named(store: Store, made: Provisioning) -> None:
    store.adopt(made)
    store.begin_epoch()
    store.mix_root(65, NONCE)
    mixed = owner_change(run_ahead(made.root_key, 65), NONCE)
    assert store.next_epoch() == 65
    store.mix_root(65, NONCE)  # the answer came again
    assert store.begin_epoch().root == mixed
    store.mix_root(65, NONCE)  # and again, after it was used
    assert (store.next_epoch(), store.begin_epoch().root) == (66, run_ahead(mixed, 1))


def test_root_of_an_epoch_that_is_over_or_far_away_is_not_mixed(store: Store, made: Provisioning) -> None:
    store.adopt(made)
    store.skip_epochs(70)
    for epoch in (69, 70 + MAX_SKIPPED_EPOCHS + 1):
        with pytest.raises(MisuseError, match="changes the root of epoch"):
            store.mix_root(epoch, NONCE)
    assert store.next_epoch() == 70


def test_certificate_in_use_is_renewed_for_its_own_key(
    store: Store, made: Provisioning, authority: Authority
) -> None:
    store.adopt(made)
    assert not store.stage_present_key()
    key = store.staged_key(os.urandom)
    chain = certificate_for(authority, key, made.device_id)
    store.stage_operational(chain, "https://localhost", BROKER, now_us=0)
    fresh = store.staged_key(os.urandom)
    assert fresh.public_key.spki != key.public_key.spki
    assert store.stage_present_key()
    assert not store.stage_present_key()  # it was asked with already
    assert store.staged_key(os.urandom).public_key.spki == key.public_key.spki
    store.drop_staged_key()
    assert store.staged_key(os.urandom).public_key.spki != key.public_key.spki
