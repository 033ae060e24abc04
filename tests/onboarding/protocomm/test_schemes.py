import itertools
from typing import Any

import pytest

from doorstep.crypto.aead import LockstepGcm, UncountedGcm
from doorstep.crypto.keystream import SharedKeystream
from doorstep.errors import DoorstepError, SettingsError
from doorstep.onboarding.failures import DowngradeRefused, OldSecurityRefused
from doorstep.onboarding.label import SetupLabel
from doorstep.onboarding.network import NetworkCredentials
from doorstep.onboarding.protocomm.capabilities import Capabilities
from doorstep.onboarding.protocomm.configurator import Configurator
from doorstep.onboarding.protocomm.credentials import Sec1Code
from doorstep.onboarding.protocomm.device import CAPABILITIES
from doorstep.onboarding.protocomm.schemes import RISKS, Scheme, choose_scheme, handshake, open_device_session
from doorstep.onboarding.protocomm.sec2 import Sec2Device
from doorstep.onboarding.protocomm.session import DeviceSession, SessionCipher
from doorstep.onboarding.steps import Step
from tests.onboarding.helpers import CREDENTIALS, NETWORKS, Link, counted_rng
from tests.onboarding.protocomm.oldsec2 import OldSec2Device

LABELS = {
    security: SetupLabel("PROV_1", CREDENTIALS.username, CREDENTIALS.pop, security=security)
    for security in (0, 1, 2)
}


def _offer(sec_ver: int | None, patch: int = 0, *caps: str) -> Capabilities:
    return Capabilities("v1.1", sec_ver, patch, ("wifi_prov", *caps))


OFFERS = {
    "silent, patch 0": _offer(None),
    "silent, patch 1": _offer(None, 1),
    "security 0": _offer(0, 0, "no_sec"),
    "security 1": _offer(1),
    "security 1, patch 1": _offer(1, 1),
    "security 2, patch 0": _offer(2),
    "security 2, patch 1": _offer(2, 1),
    "security 2, patch 2": _offer(2, 2),
    "security 3": _offer(3, 1),
    "security -1": _offer(-1, 1),
    "security 1, no_pop": _offer(1, 0, "no_pop"),
    "security 2, no_pop": _offer(2, 1, "no_pop"),
    "security 1, no_sec": _offer(1, 0, "no_sec"),
    "security 2, no_sec": _offer(2, 1, "no_sec"),
    "silent, no_pop": _offer(None, 1, "no_pop"),
}
OLD, PATCH0, NEW = Scheme.SEC1, Scheme.SEC2_PATCH0, Scheme.SEC2
CHOSEN: dict[tuple[int, str], Scheme] = {
    (0, "security 1"): OLD,
    (0, "security 1, patch 1"): OLD,
    (0, "security 2, patch 0"): PATCH0,
    (0, "security 2, patch 1"): NEW,
    (0, "security 2, patch 2"): NEW,
    (1, "silent, patch 0"): OLD,
    (1, "silent, patch 1"): OLD,
    (1, "security 1"): OLD,
    (1, "security 1, patch 1"): OLD,
    (1, "security 2, patch 0"): PATCH0,
    (1, "security 2, patch 1"): NEW,
    (1, "security 2, patch 2"): NEW,
    (2, "silent, patch 0"): PATCH0,
    (2, "silent, patch 1"): NEW,
    (2, "security 2, patch 0"): PATCH0,
    (2, "security 2, patch 1"): NEW,
    (2, "security 2, patch 2"): NEW,
}
"""Every other pair of label and document is a downgrade, with and without consent."""


@pytest.mark.parametrize(("security", "offer"), list(itertools.product(LABELS, OFFERS)))
def test_configurator_refuses_downgrade_by_proto_ver(security: int, offer: str) -> None:
    chosen = CHOSEN.get((security, offer))
    label, offered = LABELS[security], OFFERS[offer]
    if chosen is None:
        for allow_old in (False, True):
            with pytest.raises(DowngradeRefused):
                choose_scheme(label, offered, allow_old=allow_old)
        return
    assert choose_scheme(label, offered, allow_old=True) is chosen
    if chosen is NEW:
        assert choose_scheme(label, offered, allow_old=False) is NEW
        return
    with pytest.raises(OldSecurityRefused) as refused:
        choose_scheme(label, offered, allow_old=False)
    assert str(refused.value) == RISKS[chosen]
    assert "--allow-old-security" in refused.value.next_step


def test_our_own_document_is_taken_without_consent() -> None:
    assert choose_scheme(LABELS[2], CAPABILITIES, allow_old=False) is NEW


def test_only_the_newest_scheme_needs_no_consent() -> None:
    assert set(RISKS) == set(Scheme) - {NEW}
    assert all("Wi-Fi password" in risk for risk in RISKS.values())


LACKING = {
    "security 2 without user name": (
        SetupLabel("PROV_1", "", "abc", security=1),
        OFFERS["security 2, patch 1"],
    ),
    "security 2 without code": (
        SetupLabel("PROV_1", "doorstep", "", security=0),
        OFFERS["security 2, patch 1"],
    ),
    "security 1 without code": (SetupLabel("PROV_1", "doorstep", "", security=0), OFFERS["security 1"]),
}


@pytest.mark.parametrize(("label", "offered"), LACKING.values(), ids=LACKING)
def test_raised_scheme_asks_for_what_the_label_lacks(label: SetupLabel, offered: Capabilities) -> None:
    with pytest.raises(SettingsError, match="lacks"):
        choose_scheme(label, offered, allow_old=True)


DEVICES: dict[Scheme, tuple[DeviceSession[Any], type]] = {
    OLD: (open_device_session(Sec1Code(CREDENTIALS.pop), counted_rng(b"device")), SharedKeystream),
    PATCH0: (OldSec2Device(CREDENTIALS.for_device(), counted_rng(b"device")), UncountedGcm),
    NEW: (open_device_session(CREDENTIALS.for_device(), counted_rng(b"device")), LockstepGcm),
}


@pytest.mark.parametrize("scheme", Scheme)
def test_every_scheme_secures_a_session_with_its_device(scheme: Scheme) -> None:
    device, kind = DEVICES[scheme]
    phone = handshake(scheme, LABELS[1], counted_rng(b"phone"))
    command1 = phone.send(device.answer(next(phone)))
    with pytest.raises(StopIteration) as done:
        phone.send(device.answer(command1))
    cipher: SessionCipher = done.value.value
    assert type(cipher) is kind
    for number in range(3):
        assert device.open(cipher.seal(b"request %d" % number)) == b"request %d" % number
        assert cipher.open(device.seal(b"reply %d" % number)) == b"reply %d" % number


def test_label_of_one_patch_does_not_work_with_a_device_of_the_other() -> None:
    """One who hides the patch number gets one message and no second: the numbers disagree."""
    device = Sec2Device(CREDENTIALS.for_device(), counted_rng(b"device"))
    phone = handshake(PATCH0, LABELS[2], counted_rng(b"phone"))
    command1 = phone.send(device.answer(next(phone)))
    with pytest.raises(StopIteration) as done:
        phone.send(device.answer(command1))
    device.open(done.value.value.seal(b"request"))
    with pytest.raises(DoorstepError):
        done.value.value.open(device.seal(b"reply"))


def _old_link(*, consent: bool) -> Link:
    session = OldSec2Device(CREDENTIALS.for_device(), counted_rng(b"device"))
    phone = Configurator(LABELS[2], counted_rng(b"phone"), allow_old_security=consent)
    return Link(session=session, phone=phone)


def test_configurator_sets_up_device_of_patch_0_with_consent() -> None:
    link = _old_link(consent=True)
    assert link.hold(link.phone.find()).sec_patch_ver == 0
    assert link.phone.risk == RISKS[PATCH0]
    link.hold(link.phone.secure())
    assert link.hold(link.phone.networks()) == NETWORKS
    link.hold(link.phone.put_forward(NetworkCredentials(b"home", b"correct horse")))
    assert link.hold(link.phone.progress()) is Step.TRYING


def test_configurator_refuses_device_of_patch_0_without_consent() -> None:
    link = _old_link(consent=False)
    with pytest.raises(OldSecurityRefused, match="first version"):
        link.hold(link.phone.find())
    assert [endpoint for endpoint, _ in link.sent] == ["proto-ver"]
