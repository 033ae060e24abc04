import os
from dataclasses import replace

import pytest

from doorstep.identity.rotation import Stage
from doorstep.messaging.ahead import Reached, Ways, open_ahead, open_aside
from doorstep.messaging.allowance import Allowance
from doorstep.messaging.envelope import parse
from doorstep.messaging.errors import Forged
from doorstep.messaging.keys import OWNER_NONCE_LENGTH, owner_change, run_ahead
from doorstep.messaging.rotation import device, platform
from doorstep.messaging.rotation.device import DeviceKeys, StaleRotation
from doorstep.messaging.rotation.keys import Change, WrongConfirmation
from doorstep.messaging.rotation.messages import Commit, Done, Offer
from doorstep.messaging.rotation.platform import AnswerTooLate, NothingToAnswer
from doorstep.messaging.sealer import DeviceSealer, DeviceState
from doorstep.messaging.state import SealedState, StagedRoot

ROOT, KID = bytes(range(32)), b"abcde"
BOOT = DeviceKeys(DeviceState(ROOT, 1))
OFFER = Offer(7, Change.FRESH, bytes(32))


def test_device_answers_one_offer_and_refuses_older_ones() -> None:
    assert device.answer(BOOT) is None
    staged = device.stage(BOOT, OFFER, os.urandom)
    assert staged.stage is Stage.STAGED
    assert device.stage(staged, OFFER, os.urandom) == staged
    with pytest.raises(StaleRotation):
        device.stage(staged, replace(OFFER, number=6), os.urandom)
    with pytest.raises(StaleRotation):
        device.stage(replace(BOOT, number=7), OFFER, os.urandom)
    assert device.stage_exchanged(BOOT, 8, Change.EXCHANGED, bytes(32)).pending is not None


def test_device_refuses_a_commit_that_is_not_of_its_stage() -> None:
    with pytest.raises(StaleRotation):
        device.commit(BOOT, Commit(7, bytes(16)))
    with pytest.raises(WrongConfirmation):
        device.commit(device.stage(BOOT, OFFER, os.urandom), Commit(7, bytes(16)))
    done = replace(BOOT, number=7)
    assert device.commit(done, Commit(7, bytes(16))) == (done, Done(7))


def test_platform_refuses_answers_that_it_cannot_use() -> None:
    rotation, state = platform.ask(7, Change.FRESH, os.urandom), SealedState.first(ROOT)
    keys = device.stage(DeviceKeys(DeviceState(state.root, 1)), rotation.offer(), os.urandom)
    answer = device.answer(keys)
    assert answer is not None
    staged, after = platform.accept(rotation, state, answer)
    assert after.staged is not None
    with pytest.raises(NothingToAnswer):
        platform.accept(rotation, state, replace(answer, number=8))
    with pytest.raises(NothingToAnswer):
        platform.accept(staged, state, answer)  # the staged root was taken over meanwhile
    with pytest.raises(AnswerTooLate):
        platform.accept(rotation, state, replace(answer, first=2))
    with pytest.raises(WrongConfirmation):
        platform.accept(rotation, state, replace(answer, confirm=bytes(16)))
    told = platform.commit_of(staged, after.staged)
    assert device.commit(keys, told)[0].boot == DeviceState(after.staged.root, 1)


def test_exchange_has_no_secret_before_it_ran() -> None:
    rotation = platform.ask(7, Change.EXCHANGED, os.urandom)
    assert rotation.secret == b""
    assert rotation.offer(b"key") == Offer(7, Change.EXCHANGED, b"key")


def test_staged_root_survives_its_columns() -> None:
    state = replace(SealedState.first(ROOT), staged=StagedRoot(4, bytes(32)), unsaved=False)
    assert SealedState.from_columns(state.columns()) == state
    both = replace(state, previous=state.current, previous_until_us=9)
    assert SealedState.from_columns(both.columns()) == both


def test_ways_ahead_show_no_key() -> None:
    ways = Ways(0, ROOT, None, Allowance())
    message = parse(DeviceSealer(KID, DeviceState(ROOT, 1)).seal(b"up/data", b"x"))
    reached = open_ahead(KID, ways, message, b"up/data", 0)
    assert isinstance(reached, Reached)
    assert "\\x" not in repr(ways) + repr(reached)


def test_message_aside_names_its_sender() -> None:
    state = SealedState.first(ROOT)
    message = parse(DeviceSealer(KID, DeviceState(ROOT, 0)).seal(b"up/data", b"x"))
    plaintext, _ = open_aside(KID, state, Allowance(), message, b"up/data", 0)
    assert plaintext == b"x"
    with pytest.raises(Forged):
        open_aside(KID, state, Allowance(), message._replace(kid=b"other"), b"up/data", 0)


@pytest.mark.parametrize("staged", [None, StagedRoot(3, bytes(32))])
def test_platform_hears_a_mixed_root_and_no_root_before(
    staged: StagedRoot | None,
) -> None:
    nonce = os.urandom(OWNER_NONCE_LENGTH)
    state = platform.mixed(replace(SealedState.first(ROOT), staged=staged), 5, nonce, os.urandom)
    ways = Ways(state.current.epoch, state.root, state.staged, Allowance())
    chains = [run_ahead(ROOT, 5)] + [run_ahead(one.root, 2) for one in [staged] if one]
    for root in chains:
        mixed = DeviceSealer(KID, DeviceState(owner_change(root, nonce), 5)).seal(b"up/data", b"x")
        assert open_ahead(KID, ways, parse(mixed), b"up/data", 0).plaintext == b"x"
        old = DeviceSealer(KID, DeviceState(root, 5)).seal(b"up/data", b"x")
        with pytest.raises(Forged):
            open_ahead(KID, ways, parse(old), b"up/data", 0)
