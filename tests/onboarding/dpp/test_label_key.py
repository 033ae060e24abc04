from doorstep.onboarding.dpp.label_key import device_label, label_key
from doorstep.onboarding.dpp.uri import BootstrapUri


def test_factory_and_device_derive_the_same_key() -> None:
    label = BootstrapUri.decode(device_label(bytes(32), "SN-1").encode())
    assert label.key == label_key(bytes(32)).public_key
    assert (label.info, label.channels) == ("SN-1", ((81, 6),))


def test_key_is_another_for_every_device_and_stays() -> None:
    assert label_key(bytes(32)).public_key != label_key(bytes(31) + b"\1").public_key
    assert label_key(bytes(32)).public_key.compressed.hex() == (
        "02a45dfc093d2f8c2407a93303fc24f74fc7c336b9b81e3d4a4a0b0e8aa3f895e4"
    )
