"""The life of a device: one enum of states, one of steps, one table, one raise.

`blocked` and `disputed` are overlays: they can lie over any state and stand in fields of their own.
"""

import enum
from collections.abc import Mapping
from typing import Final

from doorstep.errors import IllegalTransition

__all__ = ["TRANSITIONS", "Life", "Step", "advance", "can", "mermaid"]


class Life(enum.StrEnum):
    """Where a device stands between the factory line and its end."""

    MADE = "made"
    """It has its identity and is on the line."""
    STOCKED = "stocked"
    """It lies in the maker's stock."""
    DISPATCHED = "dispatched"
    """A wholesaler has it; it may go through several."""
    SOLD = "sold"
    """The ERP sold it to a customer."""
    ONBOARDED = "onboarded"
    """It is on a network and was heard, and nobody's claim has been accepted yet."""
    OWNED = "owned"
    """An organisation owns it. Only now are its messages taken."""
    TRANSFERRED = "transferred"
    """Its owner gave it away, and the next owner has not taken it yet."""
    RETURNED = "returned"
    """It came back to the maker."""
    SWAPPED = "swapped"
    """Another device took its place."""
    SCRAPPED = "scrapped"
    """It is gone for ever; its identity is never given out again."""


class Step(enum.StrEnum):
    """What can happen to a device."""

    STOCK = "stock"
    DISPATCH = "dispatch"
    SELL = "sell"
    ONBOARD = "onboard"
    BIND = "bind"
    TRANSFER = "transfer"
    RETURN = "return"
    SWAP = "swap"
    REPLACE = "replace"
    """It takes the place of an owner's device, and is theirs before it was heard."""
    SCRAP = "scrap"
    WITHDRAW_TO_MAKER = "withdraw_to_maker"
    """A dispatch or sale is taken back as if it had not been; the maker has the device."""
    WITHDRAW_TO_WHOLESALER = "withdraw_to_wholesaler"
    """As above, and a wholesaler has it."""


TRANSITIONS: Final[Mapping[Life, Mapping[Step, Life]]] = {
    Life.MADE: {
        Step.STOCK: Life.STOCKED,
        Step.DISPATCH: Life.DISPATCHED,
        Step.SELL: Life.SOLD,
        Step.ONBOARD: Life.ONBOARDED,
        Step.REPLACE: Life.OWNED,
        Step.SCRAP: Life.SCRAPPED,
    },
    Life.STOCKED: {
        Step.DISPATCH: Life.DISPATCHED,
        Step.SELL: Life.SOLD,
        Step.ONBOARD: Life.ONBOARDED,
        Step.REPLACE: Life.OWNED,
        Step.SCRAP: Life.SCRAPPED,
    },
    Life.DISPATCHED: {
        Step.DISPATCH: Life.DISPATCHED,
        Step.SELL: Life.SOLD,
        Step.ONBOARD: Life.ONBOARDED,
        Step.RETURN: Life.RETURNED,
        Step.REPLACE: Life.OWNED,
        Step.SCRAP: Life.SCRAPPED,
        Step.WITHDRAW_TO_MAKER: Life.STOCKED,
        Step.WITHDRAW_TO_WHOLESALER: Life.DISPATCHED,
    },
    Life.SOLD: {
        Step.ONBOARD: Life.ONBOARDED,
        Step.RETURN: Life.RETURNED,
        Step.REPLACE: Life.OWNED,
        Step.SCRAP: Life.SCRAPPED,
        Step.WITHDRAW_TO_MAKER: Life.STOCKED,
        Step.WITHDRAW_TO_WHOLESALER: Life.DISPATCHED,
    },
    # A sale may reach us after the device did: it is recorded and moves nothing.
    Life.ONBOARDED: {
        Step.DISPATCH: Life.ONBOARDED,
        Step.SELL: Life.ONBOARDED,
        Step.ONBOARD: Life.ONBOARDED,
        Step.BIND: Life.OWNED,
        Step.RETURN: Life.RETURNED,
        Step.REPLACE: Life.OWNED,
        Step.SCRAP: Life.SCRAPPED,
        Step.WITHDRAW_TO_MAKER: Life.ONBOARDED,
        Step.WITHDRAW_TO_WHOLESALER: Life.ONBOARDED,
    },
    Life.OWNED: {
        Step.DISPATCH: Life.OWNED,
        Step.SELL: Life.OWNED,
        Step.ONBOARD: Life.OWNED,
        Step.TRANSFER: Life.TRANSFERRED,
        Step.RETURN: Life.RETURNED,
        Step.SWAP: Life.SWAPPED,
        Step.SCRAP: Life.SCRAPPED,
        Step.WITHDRAW_TO_MAKER: Life.OWNED,
        Step.WITHDRAW_TO_WHOLESALER: Life.OWNED,
    },
    Life.TRANSFERRED: {
        Step.BIND: Life.OWNED,
        Step.RETURN: Life.RETURNED,
        Step.SCRAP: Life.SCRAPPED,
    },
    Life.RETURNED: {
        Step.STOCK: Life.STOCKED,
        Step.SCRAP: Life.SCRAPPED,
    },
    Life.SWAPPED: {
        Step.SCRAP: Life.SCRAPPED,
    },
    Life.SCRAPPED: {},
}


def advance(life: Life, step: Step) -> Life:
    """Return the state after ``step``; raise IllegalTransition when the table does not have it."""
    try:
        return TRANSITIONS[life][step]
    except KeyError:
        possible = ", ".join(TRANSITIONS[life]) or "nothing more"
        raise IllegalTransition(
            f"a device that is {life} can't go through {step!s}", next_step=f"Possible now: {possible}."
        ) from None


def can(life: Life, step: Step) -> bool:
    """Whether the table has this step."""
    return step in TRANSITIONS[life]


def mermaid() -> str:
    """Draw the table as a Mermaid state diagram; steps that move nothing are left out."""
    lines = ["stateDiagram-v2", f"    [*] --> {Life.MADE}"]
    for life, steps in TRANSITIONS.items():
        lines += [f"    {life} --> {after}: {step}" for step, after in steps.items() if after is not life]
    return "\n".join([*lines, f"    {Life.SCRAPPED} --> [*]"])
