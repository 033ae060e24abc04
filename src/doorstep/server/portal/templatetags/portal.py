"""Icons, times and figures as the portal's pages show them."""

import math
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from django import template
from django.templatetags.static import static
from django.utils import dateformat
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext_lazy

from doorstep.messaging.delivery import OPEN, Delivery
from doorstep.ownership.evidence import Evidence
from doorstep.server.activity import Happened
from doorstep.server.channels.models import Downlink
from doorstep.server.channels.queries import detail_of
from doorstep.server.clock import from_us, now_us, to_us
from doorstep.server.custody.attempts import Attempt, What
from doorstep.server.fleet.models import Device, Revocation
from doorstep.server.fleet.queries import Status, status_of
from doorstep.server.portal.browsers import browser_word
from doorstep.server.portal.words import role_word
from doorstep.server.readings.alerting import sentence_of
from doorstep.server.readings.limits import ThresholdKind
from doorstep.server.readings.models import Alert, Threshold
from doorstep.server.readings.queries import Point
from doorstep.server.readings.words import label_of, number_of, unit_word
from doorstep.server.webhooks.models import DeliveryState, WebhookDelivery, WebhookEndpoint

__all__ = ["COMMAND_TONES", "TONES", "label_of", "register", "seconds_between", "unit_of"]

register = template.Library()
register.filter(browser_word)
register.filter(role_word)

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
_HAPPENING_ICONS: Final = {
    Happened.CUSTODY: "ledger",
    Happened.ALERT: "alert",
    Happened.ALERT_ENDED: "check",
    Happened.COMMAND: "device",
    Happened.SETTINGS: "device",
}
_STEPS: Final = (
    (60, 1, ngettext_lazy("%d second ago", "%d seconds ago")),
    (3600, 60, ngettext_lazy("%d minute ago", "%d minutes ago")),
    (86_400, 3600, ngettext_lazy("%d hour ago", "%d hours ago")),
    (math.inf, 86_400, ngettext_lazy("%d day ago", "%d days ago")),
)
_WORDS: Final = (
    gettext_noop("Revoked"), gettext_noop("In quarantine"), gettext_noop("Suspected"),
    gettext_noop("Disputed"),
    gettext_noop("Waiting for data"), gettext_noop("Live"), gettext_noop("Quiet"),
    gettext_noop("Queued"), gettext_noop("Sent"), gettext_noop("Acknowledged"), gettext_noop("Refused"),
    gettext_noop("Expired"), gettext_noop("Cancelled"),
    gettext_noop("Waiting"), gettext_noop("Delivered"), gettext_noop("Failed"),
)  # fmt: skip
"""Words of `Status`, `Delivery` and `DeliveryState`, for those who gather what is to be translated."""
_MOMENT: Final = "j M Y, H:i:s"
_AXIS: Final = {"hour": "H:i", "day": "H:i", "week": "D j", "month": "j M", "year": "M Y"}


@register.simple_tag
def icon(name: str) -> SafeString:
    """Draw one symbol of the sprite; decoration only, so the words beside it must say the same."""
    return format_html(
        '<svg class="icon" aria-hidden="true" focusable="false"><use href="{}#{}"></use></svg>',
        static("portal/icons.svg"),
        name,
    )


@register.filter
def happening_icon(kind: Happened) -> str:
    """Name the symbol of what happened to a device."""
    return _HAPPENING_ICONS[kind]


@register.filter
def moment(time_us: int | None) -> SafeString | str:
    """Write a time in UTC; scripts turn it into the reader's own zone."""
    if time_us is None:
        return _("none")
    when = from_us(time_us)
    return format_html(
        '<time datetime="{}">{} UTC</time>',
        when.isoformat(timespec="seconds"),
        dateformat.format(when, _MOMENT),
    )


@register.filter
def day(when: datetime | None) -> SafeString | str:
    """Write a date and time of the database as `moment` does."""
    return moment(to_us(when) if when else None)


@register.filter
def ago(time_us: int | None) -> SafeString | str:
    """Write how long ago something was; "never" for what was not."""
    if time_us is None:
        return _("never")
    when = from_us(time_us)
    return format_html(
        '<time datetime="{}" title="{} UTC">{}</time>',
        when.isoformat(timespec="seconds"),
        dateformat.format(when, _MOMENT),
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
        return _("yes") if value else _("no")
    return f"{value:.6g}" if isinstance(value, float) else value


@register.filter
def unit_of(point: Point) -> str:
    """Write a reading's unit."""
    return unit_word(point.unit)


register.filter("unit_word", unit_word)
register.filter("label_of", label_of)


@register.filter
def short(value: float) -> str:
    """Write a number with as many digits as somebody reads."""
    return number_of(value)


@register.filter
def dot(value: float) -> str:
    """Write a coordinate: with a point, whatever the language."""
    return f"{value:g}"


@register.filter
def axis(time_us: int, span: str) -> SafeString:
    """Write a time below a chart, in UTC; scripts turn it into the reader's own zone."""
    when = from_us(time_us)
    return format_html(
        '<time datetime="{}" data-axis="{}">{}</time>',
        when.isoformat(timespec="seconds"),
        span,
        dateformat.format(when, _AXIS[span]),
    )


@register.filter
def alert_text(alert: Alert) -> str:
    """Say what crossed which threshold."""
    return sentence_of(alert)


@register.filter
def threshold_text(threshold: Threshold) -> str:
    """Say what is watched."""
    words = {"name": label_of(threshold.name), "value": number_of(threshold.value)}
    if threshold.kind == ThresholdKind.SILENT:
        return _("No message for %(value)s minutes") % words
    if threshold.kind == ThresholdKind.ABOVE:
        return _("%(name)s above %(value)s") % words
    return _("%(name)s below %(value)s") % words


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
    return {"tone": TONES[now], "text": _(now.value)}


@register.inclusion_tag("portal/parts/badge.html")
def delivery(row: Downlink) -> dict[str, str]:
    """Show how far a command is as a badge."""
    return {"tone": COMMAND_TONES[Delivery(row.state)], "text": _(row.state.capitalize())}


@register.inclusion_tag("portal/parts/badge.html")
def webhook_status(row: WebhookEndpoint) -> dict[str, str]:
    """Show whether a webhook works as a badge."""
    if not row.enabled:
        return {"tone": "bad", "text": _("Switched off")}
    if row.failing_since_us is not None:
        return {"tone": "wait", "text": _("Failing")}
    return {"tone": "good", "text": _("Switched on")}


@register.inclusion_tag("portal/parts/badge.html")
def webhook_delivery(row: WebhookDelivery) -> dict[str, str]:
    """Show how far a delivery is as a badge."""
    tones = {DeliveryState.WAITING: "wait", DeliveryState.DELIVERED: "good", DeliveryState.FAILED: "bad"}
    return {"tone": tones[DeliveryState(row.state)], "text": state_word(row.state)}


@register.filter
def state_word(state: str) -> str:
    """Write how far deliveries are."""
    return _(state.capitalize())


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
        return _("just now")
    unit_s, words = next((unit_s, words) for below, unit_s, words in _STEPS if seconds < below)
    count = int(seconds // unit_s)
    return words % count
