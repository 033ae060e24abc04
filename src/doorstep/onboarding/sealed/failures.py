"""Why a device does not take a sealed blob: with sentences and next steps for customers."""

from doorstep.errors import MalformedMessage, ReplayRefused, VerificationFailed

__all__ = ["BlobExpired", "BlobUsed", "ForAnotherDevice", "MalformedBlob"]

AFRESH = "Seal the Wi-Fi for the device once more in the portal."


class MalformedBlob(MalformedMessage):
    """Bytes or text are not sealed credentials."""

    def __init__(self, what: str) -> None:
        super().__init__(f"These are not sealed credentials: {what}.", next_step=AFRESH)


class ForAnotherDevice(VerificationFailed):
    """A blob names another device than the one that it was brought to."""

    def __init__(self, named: str, here: str) -> None:
        super().__init__(
            f"This was sealed for device {named}, and this is device {here}.",
            next_step="Compare the device id with the label, and seal the Wi-Fi for this device.",
        )


class BlobExpired(ReplayRefused):
    """A blob is too old, or claims to be good for longer than any may be."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence, next_step=AFRESH)


class BlobUsed(ReplayRefused):
    """A blob was opened here before."""

    def __init__(self) -> None:
        super().__init__("This was brought to the device before; each is good once.", next_step=AFRESH)
