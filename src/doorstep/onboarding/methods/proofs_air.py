"""Claims of the radio's own methods, and what runs in the machine with simulated radios."""

from collections.abc import Mapping
from typing import Final

from doorstep.onboarding.methods.claims import proofs_in
from doorstep.onboarding.methods.method import Proof

__all__ = ["ON_THE_AIR", "RADIO_METHODS"]

_RADIO: Final = "tests/radio/guest"
_DPP: Final = "tests/onboarding/dpp/test_exchange.py"
_PAIRING: Final = "tests/onboarding/ble/test_pairing.py"
_BLE: Final = "tests/device/setup/test_ble.py"
_ESPTOUCH: Final = "tests/onboarding/esptouch"

_IMPROV: Final = proofs_in(
    "tests/onboarding/improv/test_device.py",
    {
        "device_takes_settings_once_its_button_was_pressed": "nothing is taken before the button is pressed",
        "press_lasts_a_minute": "a press lasts a minute",
        "profile_must_fit_into_an_answer_and_tells_its_risk": "the board tells its risk",
    },
)

RADIO_METHODS: Final[Mapping[str, tuple[Proof, ...]]] = {
    "wps-button": proofs_in(
        f"{_RADIO}/wps.py",
        {
            "proof_board_joins_after_both_buttons": "a board joins after both buttons",
            "proof_two_boards_in_one_window_get_nothing": "two boards in one window get nothing",
        },
    ),
    "wps-pin": proofs_in(
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
        *proofs_in(
            _DPP,
            {
                "photographer_of_the_label_cannot_read_what_is_sent_to_the_device": "who photographed the "
                "label reads nothing",
                "photographer_of_the_label_cannot_answer_as_the_device": "and cannot imitate the device",
                "configurator_refuses_replayed_response": "a replayed answer is refused",
            },
        ),
        *proofs_in(
            f"{_RADIO}/dpp.py",
            {
                "proof_board_takes_the_network_of_a_phone_that_read_its_label": "over the air with "
                "wpa_supplicant"
            },
        ),
    ),
    "esptouch-v1": proofs_in(
        f"{_ESPTOUCH}/test_v1.py",
        {
            "eavesdropper_reads_the_password_of_esptouch_v1": "a listener reads the password",
            "board_hears_in_eight_turns_what_loses_a_fifth_and_is_swapped_and_repeated": "it works with "
            "losses",
        },
    ),
    "esptouch-v2": proofs_in(
        f"{_ESPTOUCH}/test_v2.py",
        {
            "eavesdropper_without_the_key_reads_no_password_but_the_name": "without the key: the name alone",
            "board_refuses_an_announcement_in_the_open_where_it_has_a_key": "a board with a key takes "
            "nothing open",
            "board_refuses_the_constant_iv": "nor the old constant start value",
            "sender_never_encrypts_twice_with_one_iv": "and we never send it",
        },
    ),
    "blufi": proofs_in(
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
    "improv-ble": (
        *_IMPROV,
        *proofs_in(
            "tests/device/setup/test_improv_peers.py",
            {"py_improv_ble_client_sets_our_board_up": "a stranger's client sets it up"},
        ),
    ),
    "improv-serial": (
        *_IMPROV,
        *proofs_in(
            "tests/device/setup/test_improv_peers.py",
            {"improv_serial_sdk_sets_our_board_up_over_its_cable": "a stranger's page sets it up"},
        ),
    ),
    "ble-just-works": proofs_in(
        _PAIRING, {"each_kind_says_what_it_demands": "its kind says what it does not protect from"}
    ),
    "ble-passkey": (
        *proofs_in(
            _BLE,
            {
                "board_hangs_up_on_phone_that_pairs_with_less_than_demanded": "Just Works is refused where "
                "more is asked"
            },
        ),
        *proofs_in(
            f"{_RADIO}/blue.py",
            {"proof_board_on_bluez_refuses_just_works_where_passkey_is_demanded": "the same against BlueZ"},
        ),
    ),
    "ble-numeric": proofs_in(_BLE, {"both_screens_show_the_same_digits": "both sides show the same digits"}),
    "ble-oob": (
        *proofs_in(
            "tests/onboarding/ble/test_oob.py",
            {
                "commitment_follows_key_and_random": "the data binds the device's key",
                "commitment_agrees_with_another_stack": "and another stack computes the same",
            },
        ),
        *proofs_in(
            "tests/device/setup/test_ble_oob.py",
            {
                "phone_pairs_by_the_data_on_the_label": "the label's data lets a phone in",
                "phone_pairs_by_what_the_platform_tells_after_the_device_attested_itself": "the platform's "
                "does",
                "nothing_but_the_attestation_is_answered_before": "nothing else lets anybody in",
            },
        ),
    ),
}
"""Key of a method → its claims."""

ON_THE_AIR: Final[Mapping[str, tuple[Proof, ...]]] = {
    "protocomm-sec2": proofs_in(
        f"{_RADIO}/micro_ap.py",
        {"proof_phone_sets_board_up_on_its_open_access_point": "on the air: a board on its own access point"},
    ),
    "protocomm-sec2-ble": proofs_in(
        f"{_RADIO}/blue.py",
        {
            "proof_virtual_phone_sets_up_a_board_on_bluez": "on the air: a board on BlueZ",
            "proof_bleak_on_bluez_sets_up_a_virtual_board": "on the air: our command on BlueZ",
        },
    ),
    "micro-ap": (
        *proofs_in(
            f"{_RADIO}/board_page.py",
            {"proof_phone_sets_up_over_the_wpa2_page_without_an_app": "on the air: the page over WPA2"},
        ),
        *proofs_in(
            f"{_RADIO}/micro_ap.py",
            {"proof_stranger_without_the_key_stays_outside": "who has no key stays outside"},
        ),
    ),
    "pin": proofs_in(
        f"{_RADIO}/board_page.py",
        {"proof_phone_proves_a_pin_over_the_open_air_and_nobody_hears_it": "nobody hears the PIN"},
    ),
    "https-pinned": proofs_in(
        f"{_RADIO}/board_page.py",
        {"proof_configurator_pins_the_boards_certificate": "on the air: the certificate is pinned"},
    ),
    "esptouch-v1": proofs_in(
        f"{_RADIO}/esptouch.py",
        {"proof_board_joins_what_a_phone_announces_and_so_could_anybody": "on the air: so could anybody"},
    ),
    "esptouch-v2": proofs_in(
        f"{_RADIO}/esptouch.py",
        {"proof_board_joins_what_a_phone_announces_encrypted": "on the air: encrypted"},
    ),
}
"""Key of a method → what the machine with simulated radios adds to its claims."""
