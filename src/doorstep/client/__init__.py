"""A client of the REST API: typed, synchronous, and without anything of the server.

``Client(url, api_key)`` has a method for each operation of `docs/reference/openapi.json`, by its name there,
and ``each_…`` for each list, which goes through all of its pages.
"""

from doorstep.client.client import Client
from doorstep.client.failures import ProblemAnswer, Unreachable

__all__ = ["Client", "ProblemAnswer", "Unreachable"]
