"""Which test shows which security claim of a method."""

from collections.abc import Mapping
from typing import Final

from doorstep.onboarding.methods.method import Proof

__all__ = ["PROOFS"]
_CORE: Final = "tests/onboarding/protocomm"
_SEARCH: Final = "tests/onboarding/test_code_search.py"
_SEALED: Final = "tests/onboarding/sealed/test_sealed.py"
_TOUCH: Final = "tests/device/setup/test_singletouch.py"
_PAGE: Final = "tests/device/setup/test_captive.py"
_TLS: Final = "tests/device/setup/test_https.py"
_DPP: Final = "tests/onboarding/dpp/test_exchange.py"
_PAIRING: Final = "tests/onboarding/ble/test_pairing.py"
_BLE: Final = "tests/device/setup/test_ble.py"
_ESPTOUCH: Final = "tests/onboarding/esptouch"
_RADIO: Final = "tests/radio/guest"


def _proofs(folder: str, claims: Mapping[str, str]) -> tuple[Proof, ...]:
    """Return proofs that stand in one file: test without ``test_`` → claim."""
    begin = "" if folder.startswith(_RADIO) else "test_"
    return tuple((Proof(claim, f"{folder}::{begin}{name}") for name, claim in claims.items()))


_SEC2: Final = (
    *_proofs(
        _SEARCH,
        {
            "imitated_device_learns_of_one_guess_per_attempt_with_security_2": "an imitated device learns "
            "of one guess per try"
        },
    ),
    *_proofs(
        f"{_CORE}/test_sec2.py",
        {
            "device_refuses_public_value_that_needs_no_code": "a public value of 0, N or 2N opens nothing",
            "device_refuses_replayed_proof": "a replayed proof is refused",
        },
    ),
    *_proofs(
        f"{_CORE}/test_device.py",
        {
            "replayed_request_ends_the_session": "a replayed request ends the session",
            "device_answers_wrong_codes_then_makes_the_guesser_wait": "guesses are slowed down",
        },
    ),
    *_proofs(
        f"{_CORE}/test_schemes.py",
        {"configurator_refuses_downgrade_by_proto_ver": "the device's word cannot lower the scheme"},
    ),
)
_SEC1: Final = (
    *_proofs(
        _SEARCH,
        {
            "imitated_device_finds_code_of_security_1_in_one_attempt_and_reads_the_password": "the search "
            "for a short code works"
        },
    ),
    *_proofs(
        f"{_CORE}/test_sec1.py",
        {"listener_who_changes_octets_in_place_is_not_seen": "changed octets are not seen"},
    ),
    *_proofs(
        "tests/cli/test_provision.py",
        {
            "old_security_is_refused_without_consent_and_nothing_is_sent": "without consent nothing is sent "
            "to such a device"
        },
    ),
)
PROOFS: Final[Mapping[str, tuple[Proof, ...]]] = {
    "protocomm-sec2": (
        *_SEC2,
        *_proofs(
            "tests/device/test_peers.py",
            {"official_client_provisions_our_device": "a stranger's client sets it up"},
        ),
    ),
    "protocomm-sec2-ble": (
        *_SEC2,
        *_proofs(
            "tests/provisioner/test_ble.py",
            {
                "provisioner_onboards_device_over_bluetooth": "the same over Bluetooth, in packets of any "
                "size",
                "device_refuses_wrong_code_over_bluetooth": "a wrong code is refused",
            },
        ),
    ),
    "protocomm-console": _proofs(
        "tests/device/setup/test_console.py",
        {
            "device_is_set_up_over_a_console_line": "a device is set up over the line",
            "security_2_is_refused_on_both_ends": "security 2, which does not fit, is refused on both ends",
        },
    ),
    "protocomm-sec1": _SEC1,
    "protocomm-sec0": _proofs(
        f"{_CORE}/test_sec0.py",
        {
            "configurator_refuses_device_without_security_whatever_the_label_and_the_consent": "the "
            "configurator refuses it whatever the label and the consent"
        },
    ),
    "sealed-credentials": (
        *_proofs(
            _SEALED,
            {
                "device_refuses_a_replayed_blob": "a blob works once",
                "device_refuses_an_expired_blob": "and not after its time",
                "device_refuses_a_blob_for_another_serial": "a blob for another device opens nothing",
                "device_refuses_a_blob_changed_at_any_byte": "no changed byte passes",
                "length_hardly_tells_the_password": "the length hardly tells the password",
            },
        ),
        *_proofs(
            _TOUCH,
            {
                "one_touch_sets_a_device_up_without_a_code": "one touch is enough",
                "device_refuses_a_blob_while_nobody_has_pressed_its_button": "and without it nothing happens",
            },
        ),
        *_proofs(
            "tests/onboarding/web/test_scripts.py",
            {"device_opens_what_the_browser_sealed": "a browser seals what a device opens"},
        ),
    ),
    "attested-session": (
        *_proofs(
            "tests/onboarding/attestation/test_device.py",
            {
                "transcripts_of_two_genuine_devices_cannot_be_swapped": "sessions of two genuine devices "
                "stay apart",
                "pattern_is_shown_only_to_somebody_who_is_there": "the pattern is shown only after the touch",
                "device_nonce_is_good_once_and_for_a_minute": "a challenge works once",
            },
        ),
        *_proofs(
            "tests/onboarding/test_presence.py",
            {
                "second_device_in_the_presence_window_stops_the_set_up": "a second device in the window "
                "ends it"
            },
        ),
        *_proofs(
            "tests/onboarding/attestation/test_verdict.py",
            {
                "risk_is_stated": "the residual risk is on every screen that offers it",
                "code_takes_a_touch_a_product_that_releases_it_and_no_owner": "the code is given out only "
                "for a touched device without an owner",
            },
        ),
        *_proofs(
            _TOUCH,
            {
                "code_and_blob_are_dead_after_the_claim_until_reset_and_release": "after the first claim it "
                "takes a reset and the owner's release"
            },
        ),
    ),
    "micro-ap": (
        *_proofs(
            "tests/onboarding/captive/test_page.py",
            {
                "form_with_another_visits_key_is_stale": "a stranger's form is refused",
                "probe_of_each_system_is_shown_the_page": "the page comes up on each phone system",
            },
        ),
        *_proofs(
            "tests/device/setup/test_page_in_a_browser.py",
            {
                "person_sets_up_by_keyboard_without_scripts_and_mends_a_wrong_password": "a person sets up "
                "by keyboard, without scripts",
                "axe_finds_nothing_on_any_page": "axe finds no barrier on any page",
            },
        ),
    ),
    "micro-ap-open": _proofs(
        "tests/onboarding/captive/test_page.py",
        {"open_air_gives_no_form_and_takes_none": "without a PIN an open access point gets no form"},
    ),
    "pin": (
        *_proofs(
            _PAGE,
            {
                "pin_over_the_open_air_sets_up_and_is_never_sent": "the PIN is never sent",
                "pin_guesses_are_limited_across_a_power_cut": "guesses are limited, also across a power cut",
            },
        ),
        *_proofs(
            "tests/onboarding/pin/test_secret.py",
            {"pin_is_guessed_slowly_and_a_long_code_is_not": "wrong PINs cost a wait of up to an hour"},
        ),
    ),
    "https-pinned": _proofs(
        _TLS,
        {
            "wrong_certificate_is_a_typed_error_and_hears_nothing": "another certificate is sent nothing",
            "label_with_a_fingerprint_never_goes_over_plain_http": "such a label is never spoken to over "
            "plain HTTP",
            "configurator_knows_the_device_by_its_maker_or_by_the_idevid_on_the_label": "the maker's CA "
            "works too",
        },
    ),
    "wps-button": _proofs(
        f"{_RADIO}/wps.py",
        {
            "proof_board_joins_after_both_buttons": "a board joins after both buttons",
            "proof_two_boards_in_one_window_get_nothing": "two boards in one window get nothing",
        },
    ),
    "wps-pin": _proofs(
        f"{_RADIO}/wps.py",
        {
            "proof_board_joins_by_the_pin_that_it_shows": "a board joins by its PIN",
            "proof_board_refuses_the_pin_unless_allowed": "and not unless the product has it on",
            "proof_router_refuses_a_wrong_pin": "a wrong PIN is refused",
            "proof_router_that_a_stranger_locked_still_takes_the_button": "a locked router still takes the "
            "button",
        },
    ),
    "dpp": (
        *_proofs(
            _DPP,
            {
                "photographer_of_the_label_cannot_read_what_is_sent_to_the_device": "who photographed the "
                "label reads nothing",
                "photographer_of_the_label_cannot_answer_as_the_device": "and cannot imitate the device",
                "configurator_refuses_replayed_response": "a replayed answer is refused",
            },
        ),
        *_proofs(
            f"{_RADIO}/dpp.py",
            {
                "proof_board_takes_the_network_of_a_phone_that_read_its_label": "over the air with "
                "wpa_supplicant"
            },
        ),
    ),
    "esptouch-v1": _proofs(
        f"{_ESPTOUCH}/test_v1.py",
        {
            "eavesdropper_reads_the_password_of_esptouch_v1": "a listener reads the password",
            "board_hears_in_eight_turns_what_loses_a_fifth_and_is_swapped_and_repeated": "it works with "
            "losses",
        },
    ),
    "esptouch-v2": _proofs(
        f"{_ESPTOUCH}/test_v2.py",
        {
            "eavesdropper_without_the_key_reads_no_password_but_the_name": "without the key: the name alone",
            "board_refuses_an_announcement_in_the_open_where_it_has_a_key": "a board with a key takes "
            "nothing open",
            "board_refuses_the_constant_iv": "nor the old constant start value",
            "sender_never_encrypts_twice_with_one_iv": "and we never send it",
        },
    ),
    "blufi": _proofs(
        "tests/onboarding/blufi/test_device.py",
        {
            "fake_device_in_the_middle_reads_the_password_of_blufi": "somebody in the middle reads the "
            "password",
            "listener_reads_no_password_of_blufi": "a listener does not",
            "device_takes_no_secret_that_is_not_encrypted_and_checked": "nothing secret is taken in the "
            "clear",
            "replayed_frame_ends_the_connection": "a replayed frame ends the connection",
        },
    ),
    "ble-just-works": _proofs(
        _PAIRING, {"each_kind_says_what_it_demands": "its kind says what it does not protect from"}
    ),
    "ble-passkey": (
        *_proofs(
            _BLE,
            {
                "board_hangs_up_on_phone_that_pairs_with_less_than_demanded": "Just Works is refused where "
                "more is asked"
            },
        ),
        *_proofs(
            f"{_RADIO}/blue.py",
            {"proof_board_on_bluez_refuses_just_works_where_passkey_is_demanded": "the same against BlueZ"},
        ),
    ),
    "ble-numeric": _proofs(_BLE, {"both_screens_show_the_same_digits": "both sides show the same digits"}),
    "ble-oob": _proofs(
        "tests/onboarding/ble/test_oob.py",
        {
            "commitment_follows_key_and_random": "the data binds the device's key",
            "commitment_agrees_with_another_stack": "and another stack computes the same",
        },
    ),
}
"Key of a method → its claims; the page of methods prints them and a test looks each test up."
