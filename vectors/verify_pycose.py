"""Opens the full encoding of every message in sealed.json with PyPI ``pycose``: a stranger to Doorstep.

Run by an interpreter that has pycose: ``python verify_pycose.py sealed.json``. Prints one name a line.
"""

import json
import sys
from pathlib import Path

from pycose.keys import SymmetricKey
from pycose.messages import CoseMessage


def main() -> None:
    """Open each message; stop at the first that does not give its plaintext."""
    for case in json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))["messages"]:
        message = CoseMessage.decode(bytes.fromhex(case["full"]))
        message.external_aad = case["channel"].encode()
        message.key = SymmetricKey(
            k=bytes.fromhex(case["key"]), optional_params={"BASE_IV": bytes.fromhex(case["base_iv"])}
        )
        if message.decrypt().hex() != case["plaintext"]:
            sys.exit(f"{case['name']}: pycose opens another plaintext")
        print(case["name"])


main()
