"""NodeMCU's firmware modules for PyPI lupa's Lua 5.1, as NodeMCU documents them.

``python nodemcu_shim.py SCRIPT`` runs a script. One that returns a function answers lines like driver.py.
``file`` is the working folder; ``mqtt`` goes through the MicroPython SDK's client and waits for each answer.
"""

import base64
import hashlib
import hmac
import sys
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from doorstep_mqtt import Client

__all__ = ["runtime"]

FIRMWARE = Path(__file__).parents[2] / "firmware" / "nodemcu"
WORD = 0xFFFFFFFF


def encrypt(algorithm: bytes, key: bytes, plain: bytes) -> bytes:
    assert algorithm == b"AES-ECB"
    padded = plain + bytes(-len(plain) % 16)
    return Cipher(algorithms.AES(key), modes.ECB()).encryptor().update(padded)


def mac(algorithm: bytes, text: bytes, key: bytes) -> bytes:
    assert algorithm == b"SHA256"
    return hmac.digest(key, text, hashlib.sha256)


def contents(name: bytes) -> bytes | None:
    path = Path(name.decode())
    return path.read_bytes() if path.exists() else None


def mqtt_client(lua: Any, client_id: bytes, _: int, username: bytes, password: bytes) -> Any:
    open_clients: list[Client] = []

    def connect(table: Any, host: bytes, port: int, _: bool, done: Any, failed: Any) -> None:  # noqa: FBT001
        client = Client(host.decode(), int(port))
        try:
            client.connect(client_id.decode(), username.decode(), password.decode())
        except OSError:
            failed(table, 5)  # mqtt.CONNACK_REFUSED_NOT_AUTHORIZED
            return
        open_clients.append(client)
        done(table)

    def publish(table: Any, topic: bytes, message: bytes, qos: int, _: int, done: Any) -> None:
        assert qos == 1
        open_clients[-1].publish(topic.decode(), message)
        done(table)

    methods = {b"connect": connect, b"publish": publish, b"close": lambda _: open_clients.pop().close()}
    return lua.table_from(methods)


def runtime() -> Any:
    """Return a Lua 5.1 with NodeMCU's modules, which finds ours; its strings are bytes."""
    from lupa import lua51  # noqa: PLC0415 - a peer: only there when it was installed

    lua = lua51.LuaRuntime(encoding=None)
    tables = {
        b"bit": {
            b"band": lambda a, b: int(a) & int(b) & WORD,
            b"bxor": lambda a, b: (int(a) ^ int(b)) & WORD,
            b"rshift": lambda a, n: (int(a) & WORD) >> int(n),
        },
        b"crypto": {b"encrypt": encrypt, b"hmac": mac},
        b"encoder": {b"toBase64": base64.b64encode},
        b"file": {
            b"exists": lambda name: Path(name.decode()).exists(),
            b"getcontents": contents,
            b"putcontents": lambda name, data: Path(name.decode()).write_bytes(data) == len(data),
            b"remove": lambda name: Path(name.decode()).unlink(missing_ok=True),
            b"rename": lambda old, new: bool(Path(old.decode()).rename(new.decode())),
        },
        b"mqtt": {b"Client": lambda *given: mqtt_client(lua, *given)},
    }
    for name, functions in tables.items():
        lua.globals()[name] = lua.table_from(functions)
    lua.globals().package.path = f"{FIRMWARE}/?.lua;./?.lua".encode()
    return lua


def main() -> None:
    """Run the script, and let it answer each line of standard input."""
    lua = runtime()
    answer = lua.execute(Path(sys.argv[1]).read_bytes())
    for line in sys.stdin if answer else ():
        print(answer(line.strip().encode()).decode(), flush=True)


if __name__ == "__main__":
    main()
