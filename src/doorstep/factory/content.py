"""What a label says; drawing it is another matter, which processes that make devices need not load."""

from dataclasses import dataclass, field

from doorstep.factory.qr import QrPath

__all__ = ["LabelContent"]


@dataclass(frozen=True, slots=True)
class LabelContent:
    """One label."""

    product_name: str
    serial: str
    device_id: str
    setup_code: str = field(repr=False)
    claim_code: str = field(repr=False)
    setup_text: str = field(repr=False)
    """What the QR code says."""
    qr: QrPath = field(repr=False)
    easy_connect: str = ""
    """The Easy Connect code, which phones' own Wi-Fi settings read; nothing secret, empty without."""
    easy_connect_qr: QrPath | None = None
    """Drawn as a second code, where the first says something else."""
    claim_url: str = ""
    """The portal's page that claims the device, as `docs/spec/label-url.md` writes it; empty without."""
    claim_qr: QrPath | None = None
    """The same, for a phone's camera."""
    wifi_key: str = field(default="", repr=False)
    """Key of the device's own access point; empty where that is open."""
    wifi_qr: QrPath | None = field(default=None, repr=False)
    """The code by which a phone's camera joins it; the second one where there is no Easy Connect."""
