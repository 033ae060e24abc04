"""Opens what the platform sealed for this device (docs/spec/sealed.md section 6)."""

from doorstep_sealed import shortest, xor

__all__ = ["Inbox", "Refused"]


class Refused(Exception):
    """A message was refused, and nothing has changed; the argument is the reason (section 7)."""


def _parse(message):
    """Return epoch, sequence number, kid and ciphertext with tag, of either encoding (S-11)."""
    at = 0
    good = True

    def take(size):
        nonlocal at, good
        at += size
        good = good and at <= len(message)
        return message[at - size : at]

    def number(data, limit):
        nonlocal good
        value = int.from_bytes(data, "big")
        good = good and 0 < len(data) < 5 and value <= limit and shortest(value) == data
        return value

    def byte():
        return int.from_bytes(take(1), "big")

    def string():
        size = byte() - 0x40
        if size in (24, 25):
            size = number(take(size - 23), 4160)
            if size < 24:
                size = -1
        return take(size) if 0 <= size < 4160 else take(5000)

    first = byte()
    if first == 0xD0:
        start = take(7)
        kid = string()
        label = take(1)
        sequence = number(string(), 0xFFFF)
        label += take(1)
        epoch = number(string(), 0x7FFFFFFF)
        sealed = string()
        good = good and start == b"\x83\x43\xa1\1\n\xa3\4" and label == b"\6\n" and at == len(message)
    else:
        flags = byte()
        sequence = number(take(flags & 7), 0xFFFF)
        epoch = number(take(byte()), 0x7FFFFFFF)
        good = good and flags & 0xF0 == 0x10 and at <= first + 1
        kid = take(first + 1 - at) if good else b""
        good = good and (not kid or flags & 8)
        sealed = message[at:]
    if not good or len(sealed) < 8 or len(kid) not in (0, 5):
        raise Refused("malformed")
    return epoch, sequence, kid, sealed


class Inbox:
    """What one boot of a `doorstep_sealed.Device` has opened."""

    def __init__(self, device):
        self._device = device
        self._high, self._window = -1, 0

    def open(self, channel, message):
        """Return what the platform sealed for topic d/<device id>/<channel>, such as "down/cmd"."""
        if len(message) > 4160:
            raise Refused("oversize")
        epoch, sequence, kid, sealed = _parse(message)
        if kid:
            raise Refused("unknown_kid")
        if epoch != self._device.epoch:
            raise Refused("epoch_past" if epoch < self._device.epoch else "epoch_too_far")
        behind = self._high - sequence
        if behind > 63:
            raise Refused("too_old")
        if behind >= 0 and self._window >> behind & 1:
            raise Refused("replayed")
        plaintext, tag = self._device.down.crypt(sequence, channel.encode(), sealed[:-8], False)
        if any(xor(tag, sealed[-8:])):
            raise Refused("wrong_tag")
        if behind < 0:
            self._high, self._window, behind = sequence, self._window << min(-behind, 64), 0
        self._window = (self._window | 1 << behind) & (1 << 64) - 1
        return plaintext
