import pytest

from doorstep.errors import SettingsError
from doorstep.onboarding.order import RegistrationOrder

BAD = {
    "no token": (b"", "https://example.test", ""),
    "endless token": (b"t" * 513, "https://example.test", ""),
    "no server": (b"t", "", ""),
    "server without scheme": (b"t", "example.test", ""),
    "server of another scheme": (b"t", "ftp://example.test", ""),
    "server with a password": (b"t", "https://me:pw@example.test", ""),
    "server without a name": (b"t", "https://", ""),
    "server that no parser takes": (b"t", "https://[::1", ""),
    "endless server": (b"t", "https://" + "a" * 512, ""),
    "endless alias": (b"t", "https://example.test", "a" * 129),
    "alias with a control character": (b"t", "https://example.test", "a\x1b[2J"),
}


@pytest.mark.parametrize(("token", "server", "alias"), BAD.values(), ids=BAD)
def test_order_refuses_impossible_values(token: bytes, server: str, alias: str) -> None:
    with pytest.raises(SettingsError):
        RegistrationOrder(token, server, alias)


def test_order_keeps_token_out_of_its_repr() -> None:
    assert "t0ken" not in repr(RegistrationOrder(b"t0ken", "https://example.test", "Küche"))
