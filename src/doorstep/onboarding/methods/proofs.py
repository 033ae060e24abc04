"""Which test shows which security claim of a method."""

from collections.abc import Mapping
from typing import Final

from doorstep.onboarding.methods.method import Proof

__all__ = ["PROOFS"]

_CORE: Final = "tests/onboarding/protocomm"
_SEARCH: Final = "tests/onboarding/test_code_search.py"

_SEC2: Final = (
    Proof(
        "an imitated device learns of one guess per try",
        f"{_SEARCH}::test_imitated_device_learns_of_one_guess_per_attempt_with_security_2",
    ),
    Proof(
        "a public value of 0, N or 2N opens nothing",
        f"{_CORE}/test_sec2.py::test_device_refuses_public_value_that_needs_no_code",
    ),
    Proof("a replayed proof is refused", f"{_CORE}/test_sec2.py::test_device_refuses_replayed_proof"),
    Proof(
        "a replayed request ends the session",
        f"{_CORE}/test_device.py::test_replayed_request_ends_the_session",
    ),
    Proof(
        "the device's word cannot lower the scheme",
        f"{_CORE}/test_schemes.py::test_configurator_refuses_downgrade_by_proto_ver",
    ),
    Proof(
        "guesses are slowed down",
        f"{_CORE}/test_device.py::test_device_answers_wrong_codes_then_makes_the_guesser_wait",
    ),
)

PROOFS: Final[Mapping[str, tuple[Proof, ...]]] = {
    "protocomm-sec2": (
        *_SEC2,
        Proof(
            "a stranger's client sets it up",
            "tests/device/test_peers.py::test_official_client_provisions_our_device",
        ),
    ),
    "protocomm-sec2-ble": _SEC2,
    "protocomm-console": (
        *_SEC2,
        Proof(
            "a device is set up over the line",
            "tests/device/setup/test_console.py::test_device_is_set_up_over_a_console_line",
        ),
    ),
    "protocomm-sec1": (
        Proof(
            "the search for a short code works",
            f"{_SEARCH}::test_imitated_device_finds_code_of_security_1_in_one_attempt_and_reads_the_password",
        ),
        Proof(
            "changed octets are not seen",
            f"{_CORE}/test_sec1.py::test_listener_who_changes_octets_in_place_is_not_seen",
        ),
        Proof(
            "without consent nothing is sent to such a device",
            "tests/cli/test_provision.py::test_old_security_is_refused_without_consent_and_nothing_is_sent",
        ),
    ),
    "protocomm-sec0": (
        Proof(
            "the configurator refuses it whatever the label and the consent",
            f"{_CORE}/test_sec0.py::"
            "test_configurator_refuses_device_without_security_whatever_the_label_and_the_consent",
        ),
    ),
}
"""Key of a method → its claims; the page of methods prints them and a test looks each test up."""
