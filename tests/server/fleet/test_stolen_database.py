"""LITE-02: a thief takes the database after a device's whole life, and finds no secret in it.

Neither in its rows nor in what SQLite left behind of rows that are gone: the file is searched byte by byte.
Of PostgreSQL the thief has a dump: every row of every table.
"""

import base64
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from doorstep.crypto import p256
from doorstep.identity.statement import Purpose
from doorstep.messaging.channels import Call
from doorstep.messaging.keys import master_secret
from doorstep.messaging.legacy.formats import Format
from doorstep.messaging.rotation.keys import Change
from doorstep.server.accounts.api_keys import make_api_key
from doorstep.server.accounts.models import OrganisationKind
from doorstep.server.accounts.permissions import scopes_of
from doorstep.server.channels.actions import send_command, want_settings
from doorstep.server.custody import actions
from doorstep.server.fleet.actions import revoke_device
from doorstep.server.fleet.challenges import challenge
from doorstep.server.fleet.legacy import add_board, set_legacy
from doorstep.server.fleet.models import LegacyBoard
from doorstep.server.fleet.rotation import change_owner_root, rotate_root
from tests.server.fleet.line import Line
from tests.server.making import authority, customer, statement_of


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Line]:
    made = Line.of_owned_device(tmp_path / "device")
    yield made
    LegacyBoard.objects.filter(device=made.row).delete()
    made.close()


class Secrets:
    """What the thief looks for, by name."""

    def __init__(self) -> None:
        self.known: dict[str, bytes] = {}

    def note(self, name: str, *values: bytes | str) -> None:
        for value in values:
            self.known[f"{name} {len(self.known)}"] = value.encode() if isinstance(value, str) else value

    def note_keys(self, line: Line) -> None:
        """The device's own view of its keys, which is the platform's, too."""
        keys = line.store.keys()
        self.note("root", keys.boot.root, master_secret(keys.boot.root))
        if keys.pending is not None:  # the device's share is worth nothing without it
            self.note("rotation", keys.pending.secret)

    def found_in(self, content: bytes) -> set[str]:
        return {name for name, value in self.known.items() if any(form in content for form in forms(value))}


def forms(value: bytes) -> list[bytes]:
    """A secret as it may be written down."""
    texts = [base64.b64encode(value), base64.urlsafe_b64encode(value)]
    return [value, value.hex().encode(), value.hex().upper().encode(), *(one.rstrip(b"=") for one in texts)]


def stolen() -> bytes:
    """All that a thief finds beside the key file: SQLite's file and its log, or a dump of PostgreSQL."""
    if connection.vendor == "sqlite":
        connection.close()  # what SQLite still had in memory is in the file or in its log
        file = Path(settings.STATE.sqlite_file)
        return b"".join(path.read_bytes() for path in file.parent.glob(file.name + "*"))
    return b"".join(dump_of(table) for table in connection.introspection.table_names())


def dump_of(table: str) -> bytes:
    with connection.cursor() as cursor, cursor.copy(f'COPY "{table}" TO STDOUT (FORMAT csv)') as rows:
        return b"".join(bytes(piece) for piece in rows)


def live(line: Line, secrets: Secrets) -> None:
    """One device from the factory to its end, with everything that has keys."""
    made, row = line.made, line.row
    secrets.note("factory", made.root_key, made.code, made.code.replace("-", ""), made.setup_code)
    secrets.note("private key", made.key.to_pem())
    user, organisation = customer()
    token, _ = actions.make_registration_token(organisation, user, now_us=line.now_us)
    secrets.note("token", token)
    actions.register_device(statement_of(made, token)[0], authority=authority(), now_us=line.now_us)
    secrets.note("api key", make_api_key(organisation, "erp", scopes_of(OrganisationKind.CUSTOMER))[0])
    send_command(
        row, Call("open", {"pin": "pin-of-the-door"}), lasts_s=9_000, by="user:1", now_us=line.now_us
    )
    want_settings(row, {"psk": "psk-of-the-network"}, seen=0, by="user:1", now_us=line.now_us)
    secrets.note("body", "pin-of-the-door", "psk-of-the-network")
    rotate_root(row, "user:1", now_us=line.now_us)
    live_on(line, secrets)
    change_owner_root(row, "user:1", now_us=line.now_us)
    live_on(line, secrets)
    rotate_root(row, "user:1", now_us=line.now_us, change=Change.EXCHANGED)
    live_on(line, secrets)
    nonce = os.urandom(16)
    secrets.note("nonce", nonce)
    challenge(line.row, nonce, line.now_us)
    renewal, _ = statement_of(made, None, purpose=Purpose.RENEW, operational=p256.generate(os.urandom))
    mix = actions.renew_credential(renewal, authority=authority(), now_us=line.now_us).mix
    assert mix is not None
    line.store.mix_root(mix.epoch, mix.nonce)
    live_on(line, secrets)
    set_legacy(row.product, {Format.ARTICLE}, {Format.ARTICLE}, actor="operator", now_us=line.now_us)
    board = add_board(line.row, Format.ARTICLE, "11242238", actor="operator", now_us=line.now_us)
    secrets.note("legacy", board.keys.iv_key, board.keys.data_key, board.keys.passphrase, board.password)
    revoke_device(line.row, "operator", "it is over", now_us=line.now_us)


def live_on(line: Line, secrets: Secrets) -> None:
    line.boot()
    for _ in range(8):
        line.turn()
        secrets.note_keys(line)
    assert line.say()


def test_lite_02_thief_of_the_database_finds_no_secret_of_a_device(line: Line) -> None:
    secrets = Secrets()
    live(line, secrets)
    content = stolen()
    key_file = Path(settings.STATE.key_file).read_bytes().strip()
    secrets.note("key file", key_file, settings.KEY_FILE.derive("nats/ingest"))
    assert {name.split()[0] for name in secrets.known} >= {"root", "rotation", "nonce", "legacy", "token"}
    assert secrets.found_in(content) == set()
    assert line.made.device_id.encode() in content  # it is the right one
