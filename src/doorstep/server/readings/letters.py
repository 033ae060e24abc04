"""Dead letters by cursor, for programs."""

from doorstep.server.readings.models import DeadLetter

__all__ = ["letters_before"]


def letters_before(number: int | None, count: int, device_id: str = "") -> list[DeadLetter]:
    """Return dead letters, newest first, behind the one with this number."""
    rows = DeadLetter.objects.order_by("-pk")
    if device_id:
        rows = rows.filter(device_id=device_id)
    return list((rows if number is None else rows.filter(pk__lt=number))[:count])
