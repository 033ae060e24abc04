from uuid import UUID

import pytest

from doorstep.device.setup.gatt import Access, Characteristic, GattService
from doorstep.errors import SettingsError


def test_useless_descriptions_are_refused() -> None:
    with pytest.raises(SettingsError, match="access"):
        Characteristic(UUID(int=1), Access(0))
    with pytest.raises(SettingsError, match="64 bytes"):
        Characteristic(UUID(int=1), Access.READ, "n" * 65)
    with pytest.raises(SettingsError, match="same UUID"):
        GattService(UUID(int=1), (Characteristic(UUID(int=2), Access.READ),) * 2)
