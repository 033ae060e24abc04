from doorstep.crypto.p256 import generate
from doorstep.onboarding.dpp.label_key import device_label, label_key
from doorstep.onboarding.dpp.uri import BootstrapUri
from tests.onboarding.helpers import counted_rng

FACTORY = generate(counted_rng(b"factory key"))


def test_factory_and_device_derive_the_same_key() -> None:
    label = BootstrapUri.decode(device_label(FACTORY, "SN-1").encode())
    assert label.key == label_key(FACTORY).public_key
    assert (label.info, label.channels) == ("SN-1", ((81, 6),))


def test_label_key_is_not_the_key_that_signs() -> None:
    assert label_key(FACTORY).public_key != FACTORY.public_key
    assert label_key(FACTORY).public_key != label_key(generate(counted_rng(b"another"))).public_key
