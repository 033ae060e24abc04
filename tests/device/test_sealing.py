import pytest

from doorstep.device.sealing import Sealing
from doorstep.device.store import Store
from doorstep.identity.ids import kid_of
from doorstep.identity.provisioning import Provisioning
from doorstep.messaging.allowance import Allowance
from doorstep.messaging.envelope import MAX_SEQUENCE, parse
from doorstep.messaging.errors import Rejected
from doorstep.messaging.opener import Opener
from doorstep.messaging.proof import NO_PROOF_YET, Standing, open_connect_proof
from doorstep.messaging.sealer import seal_downlink
from doorstep.messaging.state import SealedState


def test_each_boot_seals_in_an_epoch_of_its_own(store: Store, made: Provisioning) -> None:
    store.adopt(made)
    boots = [Sealing(store, made.device_id) for _ in range(3)]
    assert [boot.epoch for boot in boots] == [0, 1, 2]
    opener = Opener(kid_of(made.device_id), SealedState.first(made.root_key))
    for boot in boots:
        assert opener.open(boot.seal("data", b"21.5"), b"up/data", 0)[2] == b"21.5"


def test_epoch_is_on_disk_before_the_first_seal(store: Store, made: Provisioning) -> None:
    store.adopt(made)
    assert Sealing(store, made.device_id).epoch == store.next_epoch() - 1


def test_used_up_epoch_is_followed_by_the_next_without_a_boot(store: Store, made: Provisioning) -> None:
    store.adopt(made)
    sealing = Sealing(store, made.device_id)
    sealing._sealer.next_sequence = MAX_SEQUENCE
    assert parse(sealing.seal("data", b"last"))[:2] == (0, MAX_SEQUENCE)
    assert parse(sealing.seal("data", b"first"))[:2] == (1, 0)
    assert (sealing.epoch, store.next_epoch()) == (1, 2)


def test_each_proof_is_greater_than_the_one_before(store: Store, made: Provisioning) -> None:
    store.adopt(made)
    sealing, last = Sealing(store, made.device_id), NO_PROOF_YET
    state, kid = SealedState.first(made.root_key), kid_of(made.device_id)
    for _ in range(3):
        last = open_connect_proof(kid, Standing(state, last, Allowance()), sealing.proof(), 0)
    assert last == (0, 2)


def test_device_opens_what_was_sealed_for_its_channel_alone(store: Store, made: Provisioning) -> None:
    store.adopt(made)
    sealing = Sealing(store, made.device_id)
    message = seal_downlink(SealedState.first(made.root_key), 0, b"down/cmd", b"on")
    with pytest.raises(Rejected):
        sealing.open("config", message)
    assert sealing.open("cmd", message) == b"on"
