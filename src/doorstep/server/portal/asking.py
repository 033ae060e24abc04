"""What an address asks for, cleaned before it meets the database."""

from django.http import HttpRequest
from django.urls import register_converter

__all__ = ["asked"]


class _Key:
    """A part of a path that can be a key: PostgreSQL stores no NUL."""

    regex = r"[^/\x00]{1,80}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(_Key, "key")


def asked(request: HttpRequest, name: str, cap: int) -> str:
    """Return a text from the query, without NUL and cut to ``cap`` characters."""
    return request.GET.get(name, "").replace("\0", "")[:cap]
