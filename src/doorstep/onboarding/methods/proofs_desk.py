"""Claims of protocomm, single touch and pages, and the tests that show them without a radio."""

from collections.abc import Mapping
from typing import Final

from doorstep.onboarding.methods.claims import proofs_in
from doorstep.onboarding.methods.method import Proof

__all__ = ["AT_THE_DESK"]
_CORE: Final = "tests/onboarding/protocomm"
_SEARCH: Final = "tests/onboarding/test_code_search.py"
_SEALED: Final = "tests/onboarding/sealed/test_sealed.py"
_TOUCH: Final = "tests/device/setup/test_singletouch.py"
_BROWSER: Final = "tests/onboarding/web/test_in_chromium.py"
_PAGE: Final = "tests/device/setup/test_captive.py"
_TLS: Final = "tests/device/setup/test_https.py"


_SEC2: Final = (
    *proofs_in(
        _SEARCH,
        {
            "imitated_device_learns_of_one_guess_per_attempt_with_security_2": "an imitated device learns "
            "of one guess per try"
        },
    ),
    *proofs_in(
        f"{_CORE}/test_sec2.py",
        {
            "device_refuses_public_value_that_needs_no_code": "a public value of 0, N or 2N opens nothing",
            "device_refuses_replayed_proof": "a replayed proof is refused",
        },
    ),
    *proofs_in(
        f"{_CORE}/test_device.py",
        {
            "replayed_request_ends_the_session": "a replayed request ends the session",
            "device_answers_wrong_codes_then_makes_the_guesser_wait": "guesses are slowed down",
        },
    ),
    *proofs_in(
        f"{_CORE}/test_schemes.py",
        {"configurator_refuses_downgrade_by_proto_ver": "the device's word cannot lower the scheme"},
    ),
)
_SEC1: Final = (
    *proofs_in(
        _SEARCH,
        {
            "imitated_device_finds_code_of_security_1_in_one_attempt_and_reads_the_password": "the search "
            "for a short code works"
        },
    ),
    *proofs_in(
        f"{_CORE}/test_sec1.py",
        {"listener_who_changes_octets_in_place_is_not_seen": "changed octets are not seen"},
    ),
    *proofs_in(
        "tests/cli/test_provision.py",
        {
            "old_security_is_refused_without_consent_and_nothing_is_sent": "without consent nothing is sent "
            "to such a device"
        },
    ),
)
AT_THE_DESK: Final[Mapping[str, tuple[Proof, ...]]] = {
    "protocomm-sec2": (
        *_SEC2,
        *proofs_in(
            "tests/device/test_peers.py",
            {"official_client_provisions_our_device": "a stranger's client sets it up"},
        ),
    ),
    "protocomm-sec2-ble": (
        *_SEC2,
        *proofs_in(
            "tests/provisioner/test_ble.py",
            {
                "provisioner_onboards_device_over_bluetooth": "the same over Bluetooth, in packets of any "
                "size",
                "device_refuses_wrong_code_over_bluetooth": "a wrong code is refused",
            },
        ),
        *proofs_in(
            _BROWSER,
            {
                "customer_sets_a_device_up_by_bluetooth": "a customer sets it up in a browser",
                "device_refuses_a_wrong_code": "and a wrong code is refused there too",
            },
        ),
    ),
    "protocomm-console": proofs_in(
        "tests/device/setup/test_console.py",
        {
            "device_is_set_up_over_a_console_line": "a device is set up over the line",
            "security_2_is_refused_on_both_ends": "security 2, which does not fit, is refused on both ends",
        },
    ),
    "protocomm-sec1": _SEC1,
    "protocomm-sec0": proofs_in(
        f"{_CORE}/test_sec0.py",
        {
            "configurator_refuses_device_without_security_whatever_the_label_and_the_consent": "the "
            "configurator refuses it whatever the label and the consent"
        },
    ),
    "sealed-credentials": (
        *proofs_in(
            _SEALED,
            {
                "device_refuses_a_replayed_blob": "a blob works once",
                "device_refuses_an_expired_blob": "and not after its time",
                "device_refuses_a_blob_for_another_serial": "a blob for another device opens nothing",
                "device_refuses_a_blob_changed_at_any_byte": "no changed byte passes",
                "length_hardly_tells_the_password": "the length hardly tells the password",
            },
        ),
        *proofs_in(
            _TOUCH,
            {
                "one_touch_sets_a_device_up_without_a_code": "one touch is enough",
                "device_refuses_a_blob_while_nobody_has_pressed_its_button": "and without it nothing happens",
            },
        ),
        *proofs_in(
            "tests/onboarding/web/test_scripts.py",
            {"device_opens_what_the_browser_sealed": "a browser seals what a device opens"},
        ),
        *proofs_in(
            _BROWSER,
            {
                "customer_seals_wifi_in_the_browser_and_brings_it_to_the_device": "a customer seals in the "
                "portal and brings it to the device"
            },
        ),
    ),
    "attested-session": (
        *proofs_in(
            "tests/onboarding/attestation/test_device.py",
            {
                "transcripts_of_two_genuine_devices_cannot_be_swapped": "sessions of two genuine devices "
                "stay apart",
                "pattern_is_shown_only_to_somebody_who_is_there": "the pattern is shown only after the touch",
                "device_nonce_is_good_once_and_for_a_minute": "a challenge works once",
            },
        ),
        *proofs_in(
            "tests/onboarding/test_presence.py",
            {
                "second_device_in_the_presence_window_stops_the_set_up": "a second device in the window "
                "ends it"
            },
        ),
        *proofs_in(
            _BROWSER,
            {
                "customer_sets_a_device_up_with_its_button_and_no_code": "a customer sets a device up with "
                "its button and no code"
            },
        ),
        *proofs_in(
            "tests/onboarding/attestation/test_verdict.py",
            {
                "risk_is_stated": "the residual risk is on every screen that offers it",
                "code_takes_a_touch_a_product_that_releases_it_and_no_owner": "the code is given out only "
                "for a touched device without an owner",
            },
        ),
        *proofs_in(
            _TOUCH,
            {
                "code_and_blob_are_dead_after_the_claim_until_reset_and_release": "after the first claim it "
                "takes a reset and the owner's release"
            },
        ),
    ),
    "micro-ap": (
        *proofs_in(
            "tests/onboarding/captive/test_page.py",
            {
                "form_with_another_visits_key_is_stale": "a stranger's form is refused",
                "probe_of_each_system_is_shown_the_page": "the page comes up on each phone system",
            },
        ),
        *proofs_in(
            "tests/device/setup/test_page_in_a_browser.py",
            {
                "person_sets_up_by_keyboard_without_scripts_and_mends_a_wrong_password": "a person sets up "
                "by keyboard, without scripts",
                "axe_finds_nothing_on_any_page": "axe finds no barrier on any page",
            },
        ),
    ),
    "micro-ap-open": proofs_in(
        "tests/onboarding/captive/test_page.py",
        {
            "air_without_anything_is_told_on_each_form": "each form says that everybody nearby reads along",
            "open_air_gives_no_form_and_takes_none": "with a PIN an open access point gets no such form",
        },
    ),
    "pin": (
        *proofs_in(
            _PAGE,
            {
                "pin_over_the_open_air_sets_up_and_is_never_sent": "the PIN is never sent",
                "pin_guesses_are_limited_across_a_power_cut": "guesses are limited, also across a power cut",
            },
        ),
        *proofs_in(
            "tests/onboarding/pin/test_secret.py",
            {"pin_is_guessed_slowly_and_a_long_code_is_not": "wrong PINs cost a wait of up to an hour"},
        ),
    ),
    "https-pinned": proofs_in(
        _TLS,
        {
            "wrong_certificate_is_a_typed_error_and_hears_nothing": "another certificate is sent nothing",
            "label_with_a_fingerprint_never_goes_over_plain_http": "such a label is never spoken to over "
            "plain HTTP",
            "configurator_knows_the_device_by_its_maker_or_by_the_idevid_on_the_label": "the maker's CA "
            "works too",
        },
    ),
}
"""Key of a method → its claims."""
