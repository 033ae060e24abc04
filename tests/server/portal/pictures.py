"""Take the docs' pictures of the portal out of a folder of screenshots.

PORTAL_SCREENSHOTS=/tmp/shots python -m pytest tests/server/portal/test_accessibility.py \\
    tests/onboarding/web/test_in_chromium.py
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
    "stock-phone-light": 1100,
    "dispatched-phone-light": 1310,
    "order-desktop-dark": 1200,
}
"""Each picture and the height in pixels that it is cut to."""
_LARGEST: Final = 150_000


def main(folder: Path) -> None:
    """Cut each chosen screenshot, give it a palette and store it; fail over 150 kB."""
    _DOCS.mkdir(parents=True, exist_ok=True)
    for name, height in _CHOSEN.items():
        image = Image.open(folder / f"{name}.png").convert("RGB")
        image = image.crop((0, 0, image.width, min(image.height, height)))
        path = _DOCS / f"{name}.png"
        image.quantize(128, dither=Image.Dither.NONE).save(path, optimize=True)
        assert path.stat().st_size <= _LARGEST, path


if __name__ == "__main__":
    main(Path(sys.argv[1]))
