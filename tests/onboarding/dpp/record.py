"""Records one exchange with the real wpa_supplicant: ``python -m tests.onboarding.dpp.record``.

The peer draws its own randomness, so a new recording differs from the stored one; both are as good.
"""

import asyncio
import json
import tempfile
from pathlib import Path
from typing import Final

from doorstep.onboarding.dpp.configuration import Configuration
from doorstep.onboarding.dpp.configurator import Configurator
from doorstep.onboarding.dpp.exchange import State
from doorstep.onboarding.dpp.uri import BootstrapUri
from doorstep.onboarding.network import NetworkCredentials
from doorstep.wire.dpp import TCP_PORT, FrameReader, encode_frame
from tests.onboarding.helpers import counted_rng
from tests.private_network import in_private_network
from tests.wpa_supplicant import WpaSupplicant, running_wpa_supplicant

__all__ = ["NETWORK", "RECORDED", "SEED"]

RECORDED: Final = Path(__file__).parent / "recorded.json"
SEED: Final = b"recorded configurator"
NETWORK: Final = NetworkCredentials(b"home", b"correct horse")
LOGGED: Final = {
    "k1": "DPP: k1 = HKDF-Expand(PRK, info, L)",
    "k2": "DPP: k2 = HKDF-Expand(PRK, info, L)",
    "ke": 'DPP: ke = HKDF-Expand(bk, "DPP Key", length)',
    "M.x": "DPP: ECDH shared secret (M.x)",
    "N.x": "DPP: ECDH shared secret (N.x)",
    "I-nonce": "DPP: I-nonce",
    "R-nonce": "DPP: R-nonce",
    "R-auth": "DPP: R-auth",
    "I-auth": "DPP: I-auth",
}


async def _exchange(uri: str) -> list[str]:
    """Return the frames of both sides in turns, each as hexadecimal digits."""
    core = Configurator(BootstrapUri.decode(uri), Configuration(NETWORK), counted_rng(SEED))
    reader, writer = await asyncio.open_connection("127.0.0.1", TCP_PORT)
    frames = [encode_frame(core.start())]
    writer.write(frames[0])
    while core.state is not State.DONE:
        octets = await reader.read(4096)
        for message in FrameReader().feed(octets):
            frames.append(octets)
            for answer in core.receive(message).frames:
                frames.append(encode_frame(answer))
                writer.write(frames[-1])
    writer.close()
    return [frame.hex() for frame in frames]


def _record(device: WpaSupplicant) -> dict[str, object]:
    uri = device.tell(f"DPP_BOOTSTRAP_GET_URI {device.tell('DPP_BOOTSTRAP_GEN type=qrcode')}")
    device.tell("DPP_CONTROLLER_START tcp_port=8908 role=enrollee")
    frames = asyncio.run(_exchange(uri))
    return {
        "uri": uri,
        "frames": frames,
        "logged": {name: device.logged(line).hex() for name, line in LOGGED.items()},
    }


def _main() -> None:
    def alone() -> dict[str, object]:
        with tempfile.TemporaryDirectory() as folder, running_wpa_supplicant(Path(folder)) as device:
            return _record(device)

    RECORDED.write_text(json.dumps(in_private_network(alone), indent=1) + "\n")


if __name__ == "__main__":
    _main()
