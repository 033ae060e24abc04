"""A device on the plain listener: boots, proves itself, publishes sealed messages, opens commands."""

import os
import time

from doorstep_down import Inbox, Refused
from doorstep_mqtt import Client
from doorstep_sealed import Device

__all__ = ["FileState", "Link"]

_PAUSES_S = (1, 2, 4, 8, 16)  # between attempts to send one message


class FileState:
    """The 36 bytes of state in a file that is replaced whole or not at all (LittleFS and Posix; not FAT)."""

    def __init__(self, path):
        self._path = path

    def load(self):
        """Return what was stored last."""
        with open(self._path, "rb") as file:
            return file.read()

    def store(self, state):
        """Replace what was stored; it is on the medium when this returns."""
        fresh = self._path + ".new"
        with open(fresh, "wb") as file:
            file.write(state)
            file.flush()
            if hasattr(os, "fsync"):
                os.fsync(file.fileno())
        os.rename(fresh, self._path)
        if hasattr(os, "sync"):
            os.sync()


class Link:
    """A device and its broker. `on_command(channel, plaintext)` gets what the platform sent, opened."""

    def __init__(self, device_id, host, port, state, on_command=None):
        self._id = device_id
        self._address = host, port
        self._state = state
        self._on_command = on_command
        self._client = None
        self.refused = 0  # messages from the platform's topics that did not open
        self._boot()

    def publish(self, channel, plaintext, sleep=time.sleep):
        """Send one message, such as readings on "data"; returns when the broker has it.

        A lost connection is made again and the same message sent again, so that it is stored once. Raises
        the OSError of the last attempt.
        """
        if self._device.next_sequence > 0xFFF0:  # what is left is for the proofs of this message's attempts
            self.close()
            self._boot()
        message = self._device.seal("up/" + channel, plaintext)
        for pause in _PAUSES_S + (None,):
            try:
                self._connected().publish("d/" + self._id + "/up/" + channel, message)
                break
            except OSError:
                self.close()
                if pause is None:
                    raise
                sleep(pause)

    def wait(self, seconds):
        """Take one command if one comes in time, and return whether; `ping` at least once a minute."""
        return self._connected().wait(seconds)

    def ping(self):
        """Keep the session; raises OSError when the connection is dead."""
        self._connected().ping()

    def close(self):
        """Leave the broker; the next call connects again."""
        if self._client:
            self._client.close()
        self._client = None

    def _boot(self):
        self._device = Device(self._id, self._state.load, self._state.store)
        self._inbox = Inbox(self._device)

    def _connected(self):
        if self._client is None:
            if self._device.next_sequence > 0xFFFF:
                self._boot()
            client = Client(*self._address, on_message=self._open)
            try:
                client.connect(self._id, self._id, self._device.proof())
                client.subscribe("d/" + self._id + "/down/#")
            except OSError:
                client.close()
                raise
            self._client = client
        return self._client

    def _open(self, topic, message):
        channel = topic[len("d/" + self._id + "/") :]
        try:
            plaintext = self._inbox.open(channel, message)
        except Refused:
            self.refused += 1
            return
        if self._on_command:
            self._on_command(channel, plaintext)
