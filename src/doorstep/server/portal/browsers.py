"""What a browser says of itself, in the words of people."""

from typing import Final

__all__ = ["browser_word"]

_BROWSERS: Final = (
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
"""In this order: most claim to be those below them, too."""
_SYSTEMS: Final = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)
_MOST: Final = 60


def browser_word(user_agent: str) -> str:
    """Return such as "Firefox, Linux"; what is neither stays as it is, cut."""
    found = [
        next((word for mark, word in table if mark in user_agent), "") for table in (_BROWSERS, _SYSTEMS)
    ]
    return ", ".join(filter(None, found)) or user_agent[:_MOST]
