"""The sentences that the board's page needs; a language is one value of this type."""

from collections.abc import Mapping
from dataclasses import dataclass

from doorstep.onboarding.steps import Step

__all__ = ["Texts"]


@dataclass(frozen=True, slots=True)
class Texts:
    """One language; braces stand for a value and nothing else."""

    code: str
    name: str
    """The language's own name."""
    language: str
    set_up: str
    choose_title: str
    choose_lead: str
    networks: str
    none_heard: str
    searching: str
    search_again: str
    signal: str
    strong: str
    medium: str
    weak: str
    secured: str
    is_open: str
    company: str
    other: str
    other_name: str
    other_hint: str
    proceed: str
    password_title: str
    password: str
    password_hint: str
    open_hint: str
    show: str
    hide: str
    code_label: str
    code_hint: str
    owner: str
    owner_lead: str
    token: str
    token_ready: str
    server: str
    connect: str
    change_network: str
    status_title: str
    what_now: str
    refreshes: str
    pause: str
    check_now: str
    may_vanish: str
    back_home: str
    retry: str
    send_token: str
    error_title: str
    error: str
    no_choice: str
    bad_name: str
    bad_password: str
    bad_token: str
    wrong_code: str
    wait: str
    busy_title: str
    busy_text: str
    locked_title: str
    locked_text: str
    waits_for_hand: str
    stale: str
    not_found: str
    unsafe: str
    script_title: str
    script_lead: str
    script_why: str
    script_ways: tuple[str, ...]
    script_twin: str
    script_code: str
    script_checking: str
    script_secured: str
    script_lost: str
    script_refused: str
    script_downgrade: str
    bring_title: str
    bring_lead: str
    bring_scripts: str
    bring_text: str
    bring: str
    bring_bad: str
    bring_refused: str
    bring_stale: str
    bring_denied: str
    steps: Mapping[Step, tuple[str, str]]
    """Each step's sentence and what to do next."""
