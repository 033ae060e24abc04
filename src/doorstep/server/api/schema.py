"""The base of every shape that the API takes or answers."""

import ninja

__all__ = ["Schema"]


class Schema(ninja.Schema, use_attribute_docstrings=True):
    """A shape whose fields are described by the sentences that stand below them."""
