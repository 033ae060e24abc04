"""NodeMCU's firmware modules bit, crypto and encoder for PyPI lupa's Lua 5.1, as NodeMCU documents them.

Run as a program it answers lines like driver.py: ``python nodemcu_shim.py driver.lua``, lupa on its path.
"""

import base64
import hashlib
import hmac
import sys
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

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
    }
    for name, functions in tables.items():
        lua.globals()[name] = lua.table_from(functions)
    lua.globals().package.path = f"{FIRMWARE}/?.lua".encode()
    return lua


def main() -> None:
    """Answer each line of standard input."""
    lua = runtime()
    answer = lua.execute(Path(sys.argv[1]).read_bytes())
    for line in sys.stdin:
        print(answer(line.strip().encode()).decode(), flush=True)


if __name__ == "__main__":
    main()
