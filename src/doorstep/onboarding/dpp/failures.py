"""Why an Easy Connect exchange ended, each with the sentence and the next step that a person reads."""

import enum

from doorstep.errors import ProtocolViolation, RefusedError, VerificationFailed

__all__ = ["ConfigurationRejected", "DeviceRefused", "NotNow", "NotTheLabelsDevice", "Status", "WrongRole"]


class Status(enum.IntEnum):
    """The status codes that we send or tell apart (specification table 28)."""

    OK = 0
    NOT_COMPATIBLE = 1
    AUTHENTICATION_FAILURE = 2
    CONFIGURE_FAILURE = 5
    RESPONSE_PENDING = 6
    CONFIGURATION_REJECTED = 9


class NotTheLabelsDevice(VerificationFailed):
    """What answers does not hold the private key of the label: another device, or an impostor."""

    def __init__(self) -> None:
        super().__init__(
            "The device that answers is not the one on the label.",
            next_step="Check that the label is this device's and scan it again. If it is, do not go on: "
            "somebody may be imitating the device.",
        )


class DeviceRefused(RefusedError):
    """The device did not go along; ``status`` is its answer."""

    def __init__(self, status: int) -> None:
        if status == Status.RESPONSE_PENDING:
            next_step = "Show the device this configurator's own code, or set the device up another way."
        else:
            next_step = "Put the device back into its set-up mode and try again."
        super().__init__(f"The device refused the set-up (status {status}).", next_step=next_step)
        self.status = status


class WrongRole(RefusedError):
    """The device asks to become something else than a station of the network."""

    def __init__(self, role: str) -> None:
        shown = "".join(char for char in role if char.isalnum())[:16]
        super().__init__(
            f"The device asked for the role {shown!r}, but this set-up is for stations only; it got nothing.",
            next_step="Check that this is the device that you mean. Access points are set up by other means.",
        )


class ConfigurationRejected(RefusedError):
    """The device has read the configuration and cannot use it; ``status`` is its answer."""

    def __init__(self, status: int) -> None:
        super().__init__(
            f"The device cannot use this network's settings (status {status}).",
            next_step="Check whether the device knows the network's kind of security, as WPA3.",
        )
        self.status = status


class NotNow(ProtocolViolation):
    """A well-formed frame came at the wrong moment."""

    def __init__(self, what: str) -> None:
        super().__init__(f"An Easy Connect {what} came at the wrong moment.")
