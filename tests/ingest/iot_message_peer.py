"""PyPI iot-message's own classes: ``seal`` prints a message, ``open`` reads one and prints what it holds."""

import json
import sys

from iot_message.cryptor.aes_sha1 import Cryptor  # type: ignore[import-not-found]  # a peer
from iot_message.message import Message  # type: ignore[import-not-found]  # a peer

Message.chip_id = Message.node_name = sys.argv[2]
cryptor = Cryptor(*sys.argv[3:7])
message = Message()
if sys.argv[1] == "seal":
    Message.add_encoder(cryptor)
    message.set({"event": "dht.status", "parameters": {"t": 21.5}})
    sys.stdout.write(bytes(message).decode())
else:
    Message.add_decoder(cryptor)
    message.set(json.loads(sys.stdin.read()))
    message.decrypt()
    sys.stdout.write(json.dumps(message.data))
