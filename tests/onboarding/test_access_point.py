from doorstep.onboarding.access_point import access_point_key


def test_each_device_has_a_key_of_its_own_that_wpa2_takes() -> None:
    keys = {access_point_key(bytes((number,)) * 384) for number in range(20)}
    assert len(keys) == 20
    assert {len(key) for key in keys} == {16}
    assert all(key.isascii() and key.isalnum() for key in keys)


def test_key_stays_what_labels_were_printed_with() -> None:
    assert access_point_key(bytes(384)) == "xkqaylawzwspc753"
