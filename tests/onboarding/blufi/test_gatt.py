from doorstep.onboarding.blufi.gatt import FROM_DEVICE, SERVICE, TO_DEVICE


def test_layout_has_the_numbers_that_apps_look_for() -> None:
    assert str(SERVICE) == "0000ffff-0000-1000-8000-00805f9b34fb"
    assert str(TO_DEVICE) == "0000ff01-0000-1000-8000-00805f9b34fb"
    assert str(FROM_DEVICE) == "0000ff02-0000-1000-8000-00805f9b34fb"
