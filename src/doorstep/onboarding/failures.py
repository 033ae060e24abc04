"""Why a session ended: typed failures, each with the sentence and the next step that a customer reads."""

from doorstep.errors import ProtocolViolation, RefusedError, VerificationFailed

__all__ = [
    "DowngradeRefused",
    "OldSecurityRefused",
    "RequestRefused",
    "TooManyGuesses",
    "UnknownEndpoint",
    "WrongCode",
]


class WrongCode(VerificationFailed):
    """The two sides do not share the code: mistyped, another device's label, or a stranger in between."""

    def __init__(self) -> None:
        super().__init__(
            "The code does not belong to this device.",
            next_step="Check that the label is this device's and type the code again.",
        )


class DowngradeRefused(VerificationFailed):
    """The device, or somebody in between, offers less security than its label promises."""

    def __init__(self, promised: str, offered: str) -> None:
        super().__init__(
            f"The label promises {promised}, but the device offers {offered}.",
            next_step="Do not go on: somebody may be imitating the device. If the maker says that its "
            "firmware is old, ask for an update.",
        )


class OldSecurityRefused(RefusedError):
    """The device speaks nothing safer than an old scheme, and nobody has accepted that."""

    def __init__(self, risk: str) -> None:
        super().__init__(
            risk,
            next_step="Ask the maker for newer firmware. If you accept the risk for this device, say so: "
            "`doorstep provision --allow-old-security`.",
        )


class TooManyGuesses(RefusedError):
    """Too many wrong codes in a row; ``wait`` is the number of whole seconds until the next try counts."""

    def __init__(self, wait: int) -> None:
        super().__init__(
            "Too many wrong codes were tried.", next_step=f"Wait {wait} seconds and try the code once more."
        )
        self.wait = wait


class UnknownEndpoint(ProtocolViolation):
    """A request for an endpoint that the device does not have."""

    def __init__(self, endpoint: str) -> None:
        super().__init__(f"The device has no endpoint {endpoint[:32]!r}.")


class RequestRefused(RefusedError):
    """The device understood a request and refused it; ``status`` is its answer."""

    def __init__(self, what: str, status: int) -> None:
        super().__init__(
            f"The device refused to {what} (status {status}).",
            next_step="Check the values, and try again; switch the device off and on if it goes on refusing.",
        )
        self.status = status
