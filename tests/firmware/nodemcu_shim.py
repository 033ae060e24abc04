"""NodeMCU's firmware modules for PyPI lupa's Lua 5.1, as NodeMCU documents them.

``python nodemcu_shim.py SCRIPT`` runs a script. One that returns a function answers lines like driver.py.
``file`` is the working folder; ``mqtt`` goes through the MicroPython SDK's client and waits for each answer.
"""

import base64
import hmac
import json
import sys
import urllib.error
import urllib.request
from binascii import hexlify, unhexlify
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from doorstep_mqtt import Client

__all__ = ["runtime"]

FIRMWARE = Path(__file__).parents[2] / "firmware" / "nodemcu"
WORD = 0xFFFFFFFF
PATIENCE_S = 10

open_clients: list[Client] = []
waiting: list[Callable[[], object]] = []


def cipher(algorithm: bytes, key: bytes, iv: bytes | None) -> Any:
    assert algorithm in {b"AES-ECB", b"AES-CBC"}
    return Cipher(algorithms.AES(key), modes.CBC(iv or bytes(16)) if algorithm == b"AES-CBC" else modes.ECB())


def encrypt(algorithm: bytes, key: bytes, plain: bytes, iv: bytes | None = None) -> bytes:
    encrypted: bytes = cipher(algorithm, key, iv).encryptor().update(plain + bytes(-len(plain) % 16))
    return encrypted


def decrypt(algorithm: bytes, key: bytes, sealed: bytes, iv: bytes | None = None) -> bytes:
    plain: bytes = cipher(algorithm, key, iv).decryptor().update(sealed)
    return plain


def mac(algorithm: bytes, text: bytes, key: bytes) -> bytes:
    return hmac.digest(key, text, {b"SHA1": "sha1", b"SHA256": "sha256"}[algorithm])


def contents(name: bytes) -> bytes | None:
    path = Path(name.decode())
    return path.read_bytes() if path.exists() else None


def mqtt_client(lua: Any, client_id: bytes, _: int, username: bytes, password: bytes) -> Any:
    heard: list[Any] = []

    def on(_: Any, event: bytes, function: Any) -> None:
        assert event == b"message"
        heard.append(function)

    def deliver(topic: str, payload: bytes) -> None:
        waiting.append(lambda: heard[-1](table, topic.encode(), payload))

    def connect(table: Any, host: bytes, port: int, _: bool, done: Any, failed: Any) -> None:  # noqa: FBT001
        client = Client(host.decode(), int(port), deliver)
        try:
            client.connect(client_id.decode(), username.decode(), password.decode())
        except OSError:
            failed(table, 5)  # mqtt.CONNACK_REFUSED_NOT_AUTHORIZED
            return
        open_clients.append(client)
        done(table)

    def subscribe(table: Any, topic: bytes, _: int, done: Any) -> None:
        open_clients[-1].subscribe(topic.decode())
        done(table)

    def publish(table: Any, topic: bytes, message: bytes, qos: int, _: int, done: Any = None) -> None:
        assert qos == 1
        open_clients[-1].publish(topic.decode(), message)
        if done:
            done(table)

    methods = {
        b"on": on,
        b"connect": connect,
        b"subscribe": subscribe,
        b"publish": publish,
        b"close": lambda _: open_clients.pop().close(),
    }
    table = lua.table_from(methods)
    return table


def post(url: bytes, headers: bytes, body: bytes, done: Any) -> None:
    kind = dict(line.split(": ", 1) for line in headers.decode().splitlines())
    asked = urllib.request.Request(url.decode(), data=body, headers=kind)
    try:
        with urllib.request.urlopen(asked, timeout=PATIENCE_S) as answer:
            done(answer.status, answer.read())
    except urllib.error.HTTPError as refused:
        with refused:
            done(refused.code, refused.read())
    except OSError:
        done(-1, None)


def table_of(lua: Any, value: Any) -> Any:
    """Return a JSON value as sjson does."""
    if isinstance(value, dict):
        return lua.table_from({name.encode(): table_of(lua, one) for name, one in value.items()})
    if isinstance(value, list):
        return lua.table_from([table_of(lua, one) for one in value])
    return value.encode() if isinstance(value, str) else value


def say(*words: Any) -> None:
    """Print as a serial line does: at once."""
    print(*(word.decode() if isinstance(word, bytes) else word for word in words), sep="\t", flush=True)


def turn() -> None:
    """Let the board hear what comes, each message after the one before, until it has closed its client."""
    while open_clients and (waiting or open_clients[-1].wait(PATIENCE_S)):
        while waiting:
            waiting.pop(0)()


def runtime() -> Any:
    """Return a Lua 5.1 with NodeMCU's modules, which finds ours; its strings are bytes."""
    from lupa import lua51  # noqa: PLC0415 - a peer: only there when it was installed

    lua = lua51.LuaRuntime(encoding=None)
    tables = {
        b"bit": {
            b"band": lambda a, b: int(a) & int(b) & WORD,
            b"bxor": lambda a, b: (int(a) ^ int(b)) & WORD,
            b"bor": lambda a, b: (int(a) | int(b)) & WORD,
            b"rshift": lambda a, n: (int(a) & WORD) >> int(n),
        },
        b"crypto": {b"encrypt": encrypt, b"decrypt": decrypt, b"hmac": mac},
        b"encoder": {b"toBase64": base64.b64encode, b"toHex": hexlify, b"fromHex": unhexlify},
        b"file": {
            b"exists": lambda name: Path(name.decode()).exists(),
            b"getcontents": contents,
            b"putcontents": lambda name, data: Path(name.decode()).write_bytes(data) == len(data),
            b"remove": lambda name: Path(name.decode()).unlink(missing_ok=True),
            b"rename": lambda old, new: bool(Path(old.decode()).rename(new.decode())),
        },
        b"http": {b"post": post},
        b"sjson": {b"decode": lambda text: table_of(lua, json.loads(text))},
        b"mqtt": {b"Client": lambda *given: mqtt_client(lua, *given)},
    }
    for name, functions in tables.items():
        lua.globals()[name] = lua.table_from(functions)
    lua.globals().print = say
    lua.globals().package.path = f"{FIRMWARE}/?.lua;./?.lua".encode()
    return lua


def main() -> None:
    """Run the script, and let it answer each line of standard input."""
    lua = runtime()
    answer = lua.execute(Path(sys.argv[1]).read_bytes())
    turn()
    for line in sys.stdin if answer else ():
        print(answer(line.strip().encode()).decode(), flush=True)


if __name__ == "__main__":
    main()
