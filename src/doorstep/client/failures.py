"""What a call can end in besides its answer."""

from collections.abc import Mapping
from typing import Any, Final

from doorstep.errors import RefusedError, UnavailableError

__all__ = ["ProblemAnswer", "Unreachable"]

_SENTENCE_CAP: Final = 500


class Unreachable(UnavailableError):
    """The platform did not answer, or says that it cannot now."""


class ProblemAnswer(RefusedError):
    """The platform answered with a problem document (RFC 9457)."""

    def __init__(self, status: int, document: Mapping[str, Any]) -> None:
        detail = _line(document.get("detail")) or f"the platform refused (status {status})"
        super().__init__(detail, next_step=_line(document.get("next_step")))
        self.status = status
        self.type = _line(document.get("type"))
        """Stable name of what went wrong, ``urn:doorstep:problem/…``."""
        self.rows: list[Mapping[str, Any]] = list(document.get("rows") or ())
        """Each bad row, where a request had rows."""


def _line(text: object) -> str:
    """Cut and clean what came over a wire before anybody prints it."""
    if not isinstance(text, str):
        return ""
    return "".join(one if one.isprintable() else " " for one in text[:_SENTENCE_CAP])
