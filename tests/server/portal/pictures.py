"""Take the docs' pictures of the portal out of a folder of screenshots.

PORTAL_SCREENSHOTS=/tmp/shots python -m pytest tests/server/portal/test_accessibility.py \\
    tests/server/portal/test_walks.py tests/onboarding/web/test_in_chromium.py
python -m tests.server.portal.pictures /tmp/shots
"""

import sys
from pathlib import Path
from typing import Final

from PIL import Image

__all__ = ["main"]

_DOCS: Final = Path(__file__).parents[3] / "docs" / "images" / "portal"
_CHOSEN: Final = {
    "devices-desktop-light": 900,
    "device-desktop-dark": 1100,
    "device-desktop-light": 1100,
    "token-phone-light": 1500,
    "token-phone-dark": 1500,
    "device-disputed-phone-dark": 844,
    "advise-answer-desktop-light": 1560,
    "set-up-networks-phone-light": 1500,
    "set-up-wrong-password-phone-light": 2300,
    "set-up-compare-phone-dark": 1400,
    "set-up-sealed-desktop-light": 2500,
    "walk-sign-up-phone-light": 830,
    "walk-empty-phone-light": 720,
    "walk-passkey-phone-light": 580,
    "walk-live-porch-phone-light": 1080,
    "walk-invite-phone-light": 870,
    "walk-colleague-phone-light": 600,
    "walk-hand-over-phone-light": 800,
    "walk-accept-phone-light": 880,
    "walk-taken-over-phone-light": 530,
    "walk-kept-phone-light": 1050,
    "walk-stock-phone-light": 970,
    "walk-received-phone-light": 740,
    "walk-dispatched-phone-light": 1220,
    "walk-batch-phone-light": 840,
    "walk-sold-phone-light": 940,
    "walk-proposed-phone-light": 1400,
    "walk-decided-phone-light": 1400,
    "order-desktop-dark": 1200,
}
"""Each picture and the height in pixels that it is cut to; those of the walks tell a story together."""
_LARGEST: Final = 100_000


def main(folder: Path) -> None:
    """Cut each chosen screenshot, give it a palette and store it; fail over 100 kB."""
    _DOCS.mkdir(parents=True, exist_ok=True)
    for name, height in _CHOSEN.items():
        image = Image.open(folder / f"{name}.png").convert("RGB")
        image = image.crop((0, 0, image.width, min(image.height, height)))
        path = _DOCS / f"{name}.png"
        image.quantize(128, dither=Image.Dither.NONE).save(path, optimize=True)
        assert path.stat().st_size <= _LARGEST, path


if __name__ == "__main__":
    main(Path(sys.argv[1]))
