"""Check values of both checksums from the catalogue of parametrised CRC algorithms."""

from doorstep.wire.crc import crc8_maxim, crc16_genibus


def test_checksums_have_their_catalogue_values() -> None:
    assert crc8_maxim(b"123456789") == 0xA1
    assert crc16_genibus(b"123456789") == 0xD64E


def test_checksum_of_nothing_is_nothing() -> None:
    assert (crc8_maxim(b""), crc16_genibus(b"")) == (0, 0)
