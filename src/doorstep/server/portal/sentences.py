"""What a refusal says to people who read it on a page."""

from doorstep.errors import DoorstepError

__all__ = ["sentences"]


def sentences(error: DoorstepError) -> str:
    """Return what happened and the next step, each as a sentence."""
    message = error.message[:1].upper() + error.message[1:]
    return f"{message.rstrip('.')}. {error.next_step}".strip()
