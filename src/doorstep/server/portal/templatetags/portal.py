"""Icons, times and figures as the portal's pages show them."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from django import template
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

from doorstep.messaging.delivery import OPEN, Delivery
from doorstep.ownership.evidence import Evidence
from doorstep.server.channels.models import Downlink
from doorstep.server.channels.queries import detail_of
from doorstep.server.clock import from_us, now_us, to_us
from doorstep.server.custody.attempts import Attempt, What
from doorstep.server.fleet.models import Device, Revocation
from doorstep.server.fleet.queries import Status, status_of
from doorstep.server.readings.queries import Point
from doorstep.server.webhooks.models import DeliveryState, WebhookDelivery, WebhookEndpoint

__all__ = ["COMMAND_TONES", "TONES", "label_of", "register", "seconds_between", "unit_of"]

register = template.Library()

TONES: Final = {
    Status.REVOKED: "bad",
    Status.QUARANTINED: "bad",
    Status.SUSPECTED: "wait",
    Status.DISPUTED: "wait",
    Status.WAITING: "note",
    Status.LIVE: "good",
    Status.QUIET: "",
}
"""Colour of each status, always beside its word."""
COMMAND_TONES: Final = {
    Delivery.QUEUED: "note",
    Delivery.SENT: "wait",
    Delivery.ACKNOWLEDGED: "good",
    Delivery.REFUSED: "bad",
    Delivery.EXPIRED: "",
    Delivery.CANCELLED: "",
}
"""Colour of each state of a command, always beside its word."""
_UNITS: Final = {
    "Cel": "°C",
    "%RH": "% RH",
    "%EL": "%",
    "m/s2": "m/s²",
    "m2": "m²",
    "m3": "m³",
    "Ohm": "Ω",
    "deg": "°",
}
"""SenML unit (RFC 8428 section 12.1) to how people write it."""
_STEPS: Final = ((60, 1, "second"), (3600, 60, "minute"), (86_400, 3600, "hour"), (2_592_000, 86_400, "day"))


@register.simple_tag
def icon(name: str) -> SafeString:
    """Draw one symbol of the sprite; decoration only, so the words beside it must say the same."""
    return format_html(
        '<svg class="icon" aria-hidden="true" focusable="false"><use href="{}#{}"></use></svg>',
        static("portal/icons.svg"),
        name,
    )


@register.filter
def moment(time_us: int | None) -> SafeString | str:
    """Write a time in UTC; scripts turn it into the reader's own zone."""
    if time_us is None:
        return "none"
    when = from_us(time_us)
    return format_html(
        '<time datetime="{}">{} UTC</time>', when.isoformat(timespec="seconds"), f"{when:%-d %b %Y, %H:%M:%S}"
    )


@register.filter
def day(when: datetime | None) -> SafeString | str:
    """Write a date and time of the database as `moment` does."""
    return moment(to_us(when) if when else None)


@register.filter
def ago(time_us: int | None) -> SafeString | str:
    """Write how long ago something was; "never" for what was not."""
    if time_us is None:
        return "never"
    when = from_us(time_us)
    return format_html(
        '<time datetime="{}" title="{} UTC">{}</time>',
        when.isoformat(timespec="seconds"),
        f"{when:%-d %b %Y, %H:%M:%S}",
        _ago((now_us() - time_us) / 1_000_000),
    )


@register.filter
def seconds_between(end_us: int, start_us: int) -> str:
    """Write a measured duration with the precision that a reader can use."""
    return f"{max(end_us - start_us, 0) / 1_000_000:.3g} s"


@register.filter
def last_accepted(revocation: Revocation) -> str:
    """Say when the last accepted message of a revoked device arrived, by the click."""
    accepted_us, asked_us = revocation.last_accepted_us or 0, revocation.asked_us
    if accepted_us > asked_us:
        return f"{seconds_between(accepted_us, asked_us)} after it"
    return f"{seconds_between(asked_us, accepted_us)} before it"


@register.filter
def value_of(point: Point) -> str:
    """Write a reading with its unit."""
    return f"{bare_value(point)} {unit_of(point)}".strip()


@register.filter
def bare_value(point: Point) -> str:
    """Write a reading without its unit."""
    return plain(point.value)


@register.filter
def plain(value: float | bool | str) -> str:  # noqa: FBT001 - a value, not a switch
    """Write a setting."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.6g}" if isinstance(value, float) else value


@register.filter
def unit_of(point: Point) -> str:
    """Write a unit as people do: Cel becomes °C."""
    return _UNITS.get(point.unit, point.unit)


@register.filter
def label_of(name: str) -> str:
    """Write a reading's name for people: the last part of a path, without underscores."""
    return name.rsplit("/", 1)[-1].rsplit(":", 1)[-1].replace("_", " ").strip().capitalize() or name


@register.filter
def listed(kinds: list[str]) -> str:
    """Write evidence kinds as words."""
    return ", ".join(kinds).replace("_", " ") or "none"


@register.filter
def kinds(brings: Iterable[Evidence]) -> str:
    """Write evidence kinds as words, in the order of their enum."""
    return listed([one.value for one in Evidence if one in set(brings)])


@register.filter
def kind_sentence(kind: str) -> str:
    """Write how a kind of evidence is brought."""
    return Evidence(kind).sentence


@register.filter
def at(mapping: dict[int, object], key: int) -> object | None:
    """Look a key up, so that a template can."""
    return mapping.get(key)


@register.filter
def attempt(one: Attempt) -> str:
    """Write what somebody tried, and what came of it."""
    detail = one.detail.replace("_", " ")
    match one.what:
        case What.CLAIM:
            return f"somebody claimed it with {listed(one.detail.split())}: {one.outcome}"
        case What.GUESS:
            return f"somebody typed a {detail}: {one.outcome}"
        case What.MESSAGE:
            return f"{detail}, refused {one.count} times; this was the last"


@register.inclusion_tag("portal/parts/badge.html")
def status(device: Device) -> dict[str, str]:
    """Show a device's status as a badge."""
    now = status_of(device, now_us())
    return {"tone": TONES[now], "text": now.value}


@register.inclusion_tag("portal/parts/badge.html")
def delivery(row: Downlink) -> dict[str, str]:
    """Show how far a command is as a badge."""
    return {"tone": COMMAND_TONES[Delivery(row.state)], "text": row.state.capitalize()}


@register.inclusion_tag("portal/parts/badge.html")
def webhook_status(row: WebhookEndpoint) -> dict[str, str]:
    """Show whether a webhook works as a badge."""
    if not row.enabled:
        return {"tone": "bad", "text": "Off"}
    if row.failing_since_us is not None:
        return {"tone": "wait", "text": "Failing"}
    return {"tone": "good", "text": "On"}


@register.inclusion_tag("portal/parts/badge.html")
def webhook_delivery(row: WebhookDelivery) -> dict[str, str]:
    """Show how far a delivery is as a badge."""
    tones = {DeliveryState.WAITING: "wait", DeliveryState.DELIVERED: "good", DeliveryState.FAILED: "bad"}
    return {"tone": tones[DeliveryState(row.state)], "text": row.state.capitalize()}


@register.filter
def answer(row: Downlink) -> str:
    """Write what a device said about a command."""
    return detail_of(row)


@register.filter
def is_open(row: Downlink) -> bool:
    """Whether a command can be cancelled."""
    return row.state in OPEN


@register.filter
def fingerprint(text: str) -> str:
    """Write hex in groups of four, upper case, so that people can compare it."""
    return " ".join(text[start : start + 4] for start in range(0, len(text), 4)).upper()


@register.filter
def hexadecimal(data: bytes | None) -> str:
    """Write bytes as hex."""
    return bytes(data or b"").hex()


def _ago(seconds: float) -> str:
    if seconds < 1:
        return "just now"
    for below, unit_s, word in _STEPS:
        if seconds < below:
            count = int(seconds // unit_s)
            return f"{count} {word}{'' if count == 1 else 's'} ago"
    return f"{int(seconds // 86_400)} days ago"
