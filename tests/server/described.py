"""The API's description as it is checked in; a test holds it against the API. Making it takes seconds."""

import json
from functools import cache
from pathlib import Path
from typing import Any, Final

__all__ = ["CHECKED_IN", "described"]

CHECKED_IN: Final = Path(__file__).parents[2] / "docs" / "reference" / "openapi.json"


@cache
def described() -> dict[str, Any]:
    """Return the OpenAPI document."""
    document: dict[str, Any] = json.loads(CHECKED_IN.read_text(encoding="utf-8"))
    return document
