"""Answers one line for each line of standard input: a board under test; see boards.py. For both Pythons."""

import gc
import sys
from binascii import hexlify, unhexlify

from doorstep_down import Inbox, Refused
from doorstep_sealed import Device, Misused, change_owner


class Storage(Exception):
    pass


def payload(words):
    """Return the bytes behind the channel; their text is not kept."""
    return unhexlify(words.pop()) if len(words) > 1 else b""


class Board:
    def __init__(self):
        self.state = b""
        self.broken = False
        self.device = None

    def load(self):
        return self.state

    def store(self, state):
        if self.broken:
            raise Storage
        self.state = state

    def flash(self, words):
        self.state = unhexlify(words[0])

    def do_break(self, words):
        self.broken = True

    def boot(self, words):
        self.device = None
        self.device = Device(words[0], self.load, self.store)
        self.inbox = Inbox(self.device)

    def show_state(self, words):
        return self.state

    def sequence(self, words):
        self.device.next_sequence = int(words[0])

    def seal(self, words):
        return self.device.seal(words[0], payload(words))

    def open(self, words):
        return self.inbox.open(words[0], payload(words))

    def proof(self, words):
        return self.device.proof()

    def owner(self, words):
        change_owner(self.load, self.store, unhexlify(words[0]))

    # Registration is loaded when it is used: the longest message needs the room of a small board's memory.

    def ask(self, words):
        from doorstep_register import seal_request  # noqa: PLC0415 - it takes room

        return seal_request(self.device, words[0] if words else "")[1]

    def reply(self, words):
        from doorstep_register import open_reply  # noqa: PLC0415 - it takes room

        said = open_reply(self.device, int(words[0]), payload(words))
        if said["status"] != "bound":
            return said["status"]
        return f"bound {said['epoch']} {said['mqtt']['host']}:{said['mqtt']['port']}"

    def skip(self, words):
        from doorstep_register import skip_to  # noqa: PLC0415 - it takes room

        skip_to(self.load, self.store, int(words[0]))


def answer(board, words):
    name = words.pop(0)
    name = {"break": "do_break", "state": "show_state"}.get(name, name)
    try:
        shown = getattr(board, name)(words)
    except Refused as refused:
        return refused.args[0]
    except Misused as misused:
        reason = misused.args[0]
        return (
            "misuse"
            if reason in ("size", "device id", "token", "epoch too far")
            else reason.replace(" ", "_")
        )
    except Storage:
        return "storage"
    if isinstance(shown, bytes):
        sys.stdout.write("ok ")
        for at in range(0, len(shown), 64):
            sys.stdout.write(hexlify(shown[at : at + 64]).decode())
        return ""
    return "ok" if shown is None else "ok " + shown


def main():
    board = Board()
    while True:
        words = sys.stdin.readline().split()
        if not words:
            break
        print(answer(board, words))
        gc.collect()  # the longest message takes a good part of a small board's memory


main()
