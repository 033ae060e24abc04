"""What people can do with devices in a stock: one form for each, and what it does."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from doorstep.server.accounts.models import Organisation
from doorstep.server.accounts.queries import Principal
from doorstep.server.clock import now_us
from doorstep.server.custody.actions import receive, record_sale, return_to_maker, take_into_stock
from doorstep.server.custody.actions.rows import SERIALS_CAP, RowsOutcome
from doorstep.server.custody.actions.sales import BOX_CAP
from doorstep.server.custody.queries import seller_of, serials_of, wholesaler_at

__all__ = ["MOVES", "DevicesForm", "Move", "WithdrawForm", "serials_in"]

_NAME_CAP: Final = 60
_LEDGER: Final = _("It stays in the ledger, so please name no person.")


class DevicesForm(forms.Form):
    """Which devices."""

    devices = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 6, "autocapitalize": "none", "spellcheck": "false"}),
        max_length=SERIALS_CAP * (_NAME_CAP + 2),
        label=_("Devices"),
        help_text=_("One a line: serial, device id, or the label of a box. A scanner types them for you."),
    )


class DispatchForm(DevicesForm):
    """To which wholesaler."""

    to = forms.EmailField(label=_("E-mail address of the wholesaler"))
    order = forms.CharField(max_length=80, label=_("Order number"))
    box = forms.CharField(
        max_length=BOX_CAP,
        required=False,
        label=_("Label of the box"),
        help_text=_("The wholesaler can then receive and pass on the box by its label."),
    )


class SellForm(DevicesForm):
    """To which customer."""

    to = forms.EmailField(label=_("E-mail address of the customer"))
    order = forms.CharField(max_length=80, label=_("Order number"))


class ReturnForm(DevicesForm):
    """Why they go back."""

    reason = forms.CharField(label=_("Reason"), max_length=200, help_text=_LEDGER)


class WithdrawForm(DevicesForm):
    """Why they leave the order."""

    devices = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 4, "autocapitalize": "none", "spellcheck": "false"}),
        max_length=SERIALS_CAP * (_NAME_CAP + 2),
        label=_("Devices"),
        help_text=_("One serial a line."),
    )
    reason = forms.CharField(label=_("Reason"), max_length=200, help_text=_LEDGER)


Said = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Move:
    """Something that people do with devices."""

    title: str
    button: str
    done: str
    """After the number of devices that it was done to."""
    text: str
    form: type[DevicesForm]
    act: Callable[[Principal, Said, list[str]], RowsOutcome]
    by_wholesalers: bool = True
    by_the_maker: bool = True

    def is_for(self, principal: Principal) -> bool:
        """Whether it means something to the principal's organisation."""
        return self.by_the_maker if principal.is_maker else self.by_wholesalers


def serials_in(text: str, holder: Organisation | None) -> list[str]:
    """Return the serials that somebody typed or scanned; a wholesaler may name boxes and device ids."""
    names = [name.strip() for name in text.replace(",", "\n").splitlines() if name.strip()]
    return names if holder is None else serials_of(holder, names)


def _sell(principal: Principal, said: Said, serials: list[str], buyer: str | Organisation) -> RowsOutcome:
    outcome = record_sale(
        said["order"],
        serials,
        buyer,
        actor=principal.actor,
        source="portal",
        now_us=now_us(),
        seller=seller_of(principal.organisation),
        box=said.get("box", ""),
        keep_good=True,
    )
    return RowsOutcome(outcome.sold, outcome.unchanged, outcome.bad)


MOVES: Final[Mapping[str, Move]] = {
    "receive": Move(
        gettext_noop("Receive devices"),
        gettext_noop("They have come"),
        gettext_noop("received"),
        gettext_noop("Say what has come. What you pass on without saying so counts as received then."),
        DevicesForm,
        lambda principal, _, serials: receive(
            principal.organisation, serials, actor=principal.actor, now_us=now_us()
        ),
        by_the_maker=False,
    ),
    "take-in": Move(
        gettext_noop("Put devices into stock"),
        gettext_noop("Put into stock"),
        gettext_noop("put into stock"),
        gettext_noop("What comes from the line, and what came back."),
        DevicesForm,
        lambda principal, _, serials: take_into_stock(serials, actor=principal.actor, now_us=now_us()),
        by_wholesalers=False,
    ),
    "dispatch": Move(
        gettext_noop("Dispatch devices"),
        gettext_noop("Dispatch"),
        gettext_noop("dispatched"),
        gettext_noop("Send devices to a wholesaler. The same order number again adds to the order."),
        DispatchForm,
        lambda principal, said, serials: _sell(principal, said, serials, wholesaler_at(said["to"])),
    ),
    "sell": Move(
        gettext_noop("Sell devices"),
        gettext_noop("Sell"),
        gettext_noop("sold"),
        gettext_noop("Who confirms this address can then register the devices without being asked for more."),
        SellForm,
        lambda principal, said, serials: _sell(principal, said, serials, said["to"]),
    ),
    "return": Move(
        gettext_noop("Send devices back"),
        gettext_noop("Send back"),
        gettext_noop("sent back to the maker"),
        gettext_noop("They leave your stock now."),
        ReturnForm,
        lambda principal, said, serials: return_to_maker(
            principal.organisation, serials, said["reason"], actor=principal.actor, now_us=now_us()
        ),
        by_the_maker=False,
    ),
}
"""By the name in their address."""
