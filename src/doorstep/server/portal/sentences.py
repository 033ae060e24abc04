"""What a refusal says to people who read it on a page."""

from django.utils.html import format_html
from django.utils.translation import get_language

from doorstep.errors import DoorstepError

__all__ = ["sentences"]


def sentences(error: DoorstepError) -> str:
    """Return what happened and the next step, each as a sentence; marked as English on other pages."""
    message = error.message[:1].upper() + error.message[1:]
    said = f"{message.rstrip('.')}. {error.next_step}".strip()
    return said if get_language() == "en" else format_html('<span lang="en">{}</span>', said)
