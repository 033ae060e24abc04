"""Reads an ESP32 NVS partition as the chip does, from Espressif's description of the format.

https://docs.espressif.com/projects/esp-idf/en/stable/esp32/api-reference/storage/nvs_flash.html
"""

import struct
import zlib
from collections.abc import Iterator

__all__ = ["read_nvs"]

_PAGE, _ENTRY, _FIRST = 4096, 32, 64
_U8, _U16, _TEXT, _BLOB_DATA, _BLOB_INDEX = 0x01, 0x02, 0x21, 0x42, 0x48


def read_nvs(image: bytes) -> dict[str, dict[str, int | str | bytes]]:
    """Return namespace -> key -> value; checks every checksum on the way."""
    names: dict[int, str] = {}
    values: dict[str, dict[str, int | str | bytes]] = {}
    blobs: dict[tuple[int, str], dict[int, bytes]] = {}
    for header, payload in _entries(image):
        space, kind, _, chunk = header[:4]
        key = header[8:24].rstrip(b"\0").decode("ascii")
        if space == 0:
            names[header[24]] = key
            values[key] = {}
        elif kind == _U16:
            values[names[space]][key] = int(struct.unpack_from("<H", header, 24)[0])
        elif kind == _TEXT:
            values[names[space]][key] = payload.rstrip(b"\0").decode()
        elif kind == _BLOB_DATA:
            blobs.setdefault((space, key), {})[chunk] = payload
        elif kind == _BLOB_INDEX:
            size, count, first = struct.unpack_from("<IBB", header, 24)
            whole = b"".join(blobs[space, key][first + number] for number in range(count))
            assert len(whole) == size
            values[names[space]][key] = whole
        else:
            raise AssertionError(f"unknown entry type {kind:#x}")
    return values


def _entries(image: bytes) -> Iterator[tuple[bytes, bytes]]:
    for start in range(0, len(image), _PAGE):
        page = image[start : start + _PAGE]
        if page[:4] == b"\xff" * 4:
            continue
        assert struct.unpack_from("<I", page, 28)[0] == zlib.crc32(page[4:28], 0xFFFFFFFF)
        at = _FIRST
        while at < _PAGE and page[at : at + _ENTRY] != b"\xff" * _ENTRY:
            header = page[at : at + _ENTRY]
            checked = header[:4] + header[8:]
            assert struct.unpack_from("<I", header, 4)[0] == zlib.crc32(checked, 0xFFFFFFFF)
            yield header, _payload(page, at, header)
            at += _ENTRY * header[2]


def _payload(page: bytes, at: int, header: bytes) -> bytes:
    if header[1] not in {_TEXT, _BLOB_DATA} or header[0] == 0:
        return b""
    size, _, crc = struct.unpack_from("<HHI", header, 24)
    payload = page[at + _ENTRY : at + _ENTRY + size]
    assert zlib.crc32(payload, 0xFFFFFFFF) == crc
    return payload
