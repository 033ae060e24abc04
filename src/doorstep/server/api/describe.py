"""Print the API's description: ``python -m doorstep.server.api.describe > docs/reference/openapi.json``."""

import json
import sys

from doorstep.server import setup

__all__ = ["description"]


def description() -> str:
    """Return the OpenAPI document as it is checked in."""
    from doorstep.server.api.app import api  # noqa: PLC0415 - Django must be set up before

    return json.dumps(api.get_openapi_schema(path_prefix="/api/v1/"), indent=2, default=str) + "\n"


if __name__ == "__main__":
    setup.start()
    sys.stdout.write(description())
