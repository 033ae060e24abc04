"""Sealed messages, version 1 (docs/spec/sealed.md), the device's end.

For MicroPython and CPython; needs `hashlib.sha256` and AES in mode ECB (`cryptolib`). This module keeps keys
and seals; a device that takes commands opens them with `doorstep_down`.
"""

import hashlib
from binascii import b2a_base64

from cryptolib import aes

__all__ = ["Device", "Misused", "change_owner", "expand", "shortest", "xor"]


class Misused(Exception):
    """The device cannot do this; the argument says why."""


def xor(a, b):
    """Return two byte strings xored, as long as the shorter one."""
    return bytes([x ^ y for x, y in zip(a, b)])


def _hmac(key, data):
    key += bytes(64 - len(key))
    for pad in (0x36, 0x5C):
        data = hashlib.sha256(bytes([x ^ pad for x in key]) + data).digest()
    return data


def expand(root, label, nonce=b""):
    """Return what `label` makes of a root (S-4, S-9)."""
    return _hmac(root, b"doorstep sealed v1 " + label + nonce + b"\1")


def shortest(number):
    """Return the one byte form of an epoch or sequence number (S-5)."""
    size = 1
    while number >> 8 * size:
        size += 1
    return number.to_bytes(size, "big")


def _replace_root(load, store, label, nonce, step):
    """Store what comes after the stored state, then return epoch and root of that."""
    state = load()
    if len(state) != 36:
        raise Misused("storage")
    epoch, root = int.from_bytes(state[:4], "big"), state[4:]
    if epoch >> 31:
        raise Misused("last epoch")
    store((epoch + step).to_bytes(4, "big") + expand(root, label, nonce))
    return epoch, root


def change_owner(load, store, nonce):
    """Mix an owner change into the stored root (S-9); it counts from the next boot on."""
    _replace_root(load, store, b"owner change", nonce, 0)


class _Sender:
    """One direction of an epoch: key and Base IV (S-6, S-7); AES-CCM of RFC 3610 with L = 2, M = 8."""

    def __init__(self, secret, epoch, sender_id):
        epoch = shortest(epoch)
        epoch = bytes([0x40 + len(epoch)]) + epoch

        def derive(name, rest):
            return _hmac(secret, bytes([0x85, 0x40 + len(name)]) + name + epoch + rest)

        self._aes = aes(derive(sender_id, b"\n\x63Key\x10\1")[:16], 1)
        mask = bytes([len(sender_id)]) + bytes(7 - len(sender_id)) + sender_id + bytes(5)
        self.iv = xor(derive(b"", b"\n\x62IV\r\1"), mask)

    def crypt(self, sequence, channel, data, up):
        """Return `data` en- or decrypted and the tag of the plaintext."""
        nonce = xor(self.iv, bytes(11) + sequence.to_bytes(2, "big"))
        encrypt = self._aes.encrypt
        size = len(data)
        out = bytearray(size)
        length = len(channel)
        aad = (
            b"\x83\x68Encrypt0\x43\xa1\1\n"
            + bytes([0x40 + length] if length < 24 else [0x58, length])
            + channel
        )
        aad = bytes([0, len(aad)]) + aad
        mac = encrypt(b"\x59" + nonce + size.to_bytes(2, "big"))
        for at in range(0, len(aad), 16):
            mac = encrypt(xor(mac, aad[at : at + 16] + bytes(15)))
        for at in range(0, size, 16):
            block = data[at : at + 16]
            turned = xor(block, encrypt(b"\1" + nonce + (at // 16 + 1).to_bytes(2, "big")))
            out[at : at + 16] = turned
            mac = encrypt(xor(mac, (block if up else turned) + bytes(15)))
        return bytes(out), xor(mac, encrypt(b"\1" + nonce + b"\0\0"))[:8]


class Device:
    """One boot of a device. Making one begins an epoch, which `store` keeps before anything can be sent.

    `load() -> bytes` and `store(bytes)` keep 36 bytes: the next epoch (4, big-endian) and its root (32).
    `device_id` is the text in topics; it is client id and username too.
    """

    def __init__(self, device_id, load, store):
        bits = 0
        for letter in device_id:
            bits = bits << 5 | "abcdefghijklmnopqrstuvwxyz234567".find(letter)  # -1 stays negative
        if len(device_id) != 8 or bits < 0:
            raise Misused("device id")
        self.epoch, root = _replace_root(load, store, b"ratchet", b"", 1)
        secret = _hmac(b"", expand(root, b"master secret")[:16])
        self.up = _Sender(secret, self.epoch, bits.to_bytes(5, "big"))
        self.down = _Sender(secret, self.epoch, b"")
        self.next_sequence = 0

    def seal(self, channel, plaintext):
        """Return the compact message for topic d/<device id>/<channel>, such as "up/data"."""
        sequence = self.next_sequence
        if sequence >> 16:
            raise Misused("epoch used up")
        channel = channel.encode()
        if not 0 < len(channel) <= 64 or len(plaintext) > 4096:
            raise Misused("size")
        self.next_sequence += 1
        piv, epoch = shortest(sequence), shortest(self.epoch)
        header = bytes([0x10 | len(piv)]) + piv + bytes([len(epoch)]) + epoch
        sealed, tag = self.up.crypt(sequence, channel, plaintext, True)
        return bytes([len(header)]) + header + sealed + tag

    def proof(self):
        """Return the password of one CONNECT on the plain listener."""
        text = b2a_base64(self.seal("connect", b"v1")).decode().strip()
        return text.replace("+", "-").replace("/", "_").replace("=", "")
