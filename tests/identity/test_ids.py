import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorstep.identity import ids


@given(st.binary(min_size=5, max_size=5))
def test_device_id_spells_its_kid(kid: bytes) -> None:
    device_id = ids.device_id_of(kid)
    assert ids.check_device_id(device_id) == device_id
    assert ids.kid_of(device_id) == kid


def test_device_id_follows_rfc_4648() -> None:
    assert ids.device_id_of(bytes.fromhex("0a1b2c3d4e")) == "bins ypko".replace(" ", "")


def test_factory_draws_device_id_from_five_random_bytes() -> None:
    asked: list[int] = []

    def rng(count: int) -> bytes:
        asked.append(count)
        return b"\xff" * count

    assert ids.new_device_id(rng) == "77777777"
    assert asked == [5]


@pytest.mark.parametrize("kid", [b"", b"1234", b"123456"])
def test_core_refuses_kid_of_other_length(kid: bytes) -> None:
    with pytest.raises(ids.MalformedId, match="5 bytes"):
        ids.device_id_of(kid)


@pytest.mark.parametrize(
    "text",
    ["", "abcdefg", "abcdefghi", "ABCDEFGH", "abcdefg1", "abcdefg=", "abcdefg\n", "abcdefgh\n", "äbcdefgh"],
)
def test_core_refuses_malformed_device_id(text: str) -> None:
    with pytest.raises(ids.MalformedId, match="not a device id"):
        ids.kid_of(text)


@pytest.mark.parametrize("text", ["A", "SN-1_2.3", "x" * 40])
def test_core_accepts_serial(text: str) -> None:
    assert ids.check_serial(text) == text


@pytest.mark.parametrize("text", ["", "x" * 41, "a b", "a/b", "é", "a\n", "\x1b[31m"])
def test_core_refuses_malformed_serial(text: str) -> None:
    with pytest.raises(ids.MalformedId) as caught:
        ids.check_serial(text)
    assert caught.value.message.isprintable()


def test_refusal_shows_only_the_start_of_long_text() -> None:
    with pytest.raises(ids.MalformedId) as caught:
        ids.check_serial("x" * 10_000)
    assert len(caught.value.message) < 200


@pytest.mark.parametrize("text", ["a", "greenhouse-2", "0" * 40])
def test_core_accepts_product_key(text: str) -> None:
    assert ids.check_product_key(text) == text


@pytest.mark.parametrize("text", ["", "A", "a_b", "x" * 41])
def test_core_refuses_malformed_product_key(text: str) -> None:
    with pytest.raises(ids.MalformedId, match="not a product key"):
        ids.check_product_key(text)


@pytest.mark.parametrize(
    "text", ["a0:b1:c2:d3:e4:f5", "A0-B1-C2-D3-E4-F5", "a0b1.c2d3.e4f5", "a0b1c2d3e4f5", "A0B1C2D3E4F5"]
)
def test_core_reads_every_way_to_write_a_mac(text: str) -> None:
    assert ids.parse_hardware_id(text) == ids.HardwareId("A0B1C2D3E4F5", locally_administered=False)


def test_core_reads_eui_64() -> None:
    assert ids.parse_hardware_id("a0:b1:c2:ff:fe:d3:e4:f5").value == "A0B1C2FFFED3E4F5"


def test_core_reads_serial_of_a_secure_element() -> None:
    assert ids.parse_hardware_id("01:23:6a:88:f1:d6:b0:73:ee") == ids.HardwareId(
        "01236A88F1D6B073EE", locally_administered=False
    )


def test_core_flags_locally_administered_address() -> None:
    assert ids.parse_hardware_id("02:00:00:00:00:01").locally_administered


@given(
    st.sampled_from((6, 8, 9)).flatmap(lambda size: st.binary(min_size=size, max_size=size)),
    st.sampled_from(":-."),
)
def test_normalised_hardware_id_reads_as_itself(octets: bytes, separator: str) -> None:
    try:
        first = ids.parse_hardware_id(octets.hex(separator))
    except ids.MalformedId:
        assert (octets[0] & 1 and len(octets) < 9) or len(set(octets)) == 1
        return
    assert first == ids.parse_hardware_id(first.value)
    assert bytes.fromhex(first.value) == octets


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "12, 16 or 18 hex"),
        ("a0b1c2d3e4", "12, 16 or 18 hex"),
        ("a0b1c2d3e4f5a0", "12, 16 or 18 hex"),
        ("a0b1c2d3e4f", "12, 16 or 18 hex"),
        ("g0b1c2d3e4f5", "12, 16 or 18 hex"),
        ("a0 b1 c2 d3 e4 f5", "12, 16 or 18 hex"),
        ("é0b1c2d3e4f5", "12, 16 or 18 hex"),
        ("a" * 27, "27 characters"),
        ("00:00:00:00:00:00", "all zeros"),
        ("ff:ff:ff:ff:ff:ff", "all ones"),
        ("01:00:5e:00:00:01", "group"),
    ],
)
def test_core_refuses_malformed_hardware_id(text: str, reason: str) -> None:
    with pytest.raises(ids.MalformedId, match=reason):
        ids.parse_hardware_id(text)
