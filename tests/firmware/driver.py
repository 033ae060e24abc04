"""Answers one line for each line of standard input: a board under test; see boards.py. For both Pythons."""

import sys
from binascii import hexlify, unhexlify

from doorstep_down import Inbox, Refused
from doorstep_sealed import Device, Misused, change_owner


class Storage(Exception):
    pass


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

    def flash(self, state):
        self.state = unhexlify(state)

    def do_break(self):
        self.broken = True

    def boot(self, device_id):
        self.device = None
        self.device = Device(device_id, self.load, self.store)
        self.inbox = Inbox(self.device)

    def show_state(self):
        return hexlify(self.state).decode()

    def sequence(self, number):
        self.device.next_sequence = int(number)

    def seal(self, channel, plaintext=""):
        return hexlify(self.device.seal(channel, unhexlify(plaintext))).decode()

    def open(self, channel, message=""):
        return hexlify(self.inbox.open(channel, unhexlify(message))).decode()

    def proof(self):
        return self.device.proof()

    def owner(self, nonce):
        change_owner(self.load, self.store, unhexlify(nonce))


def answer(board, line):
    words = line.split()
    name = {"break": "do_break", "state": "show_state"}.get(words[0], words[0])
    try:
        shown = getattr(board, name)(*words[1:])
    except Refused as refused:
        return refused.args[0]
    except Misused as misused:
        return {"size": "misuse"}.get(misused.args[0], misused.args[0].replace(" ", "_"))
    except Storage:
        return "storage"
    return "ok" if shown is None else "ok " + shown


board = Board()
while True:
    line = sys.stdin.readline()
    if not line:
        break
    print(answer(board, line))
