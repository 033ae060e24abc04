"""The board's page in English."""

from typing import Final

from doorstep.onboarding.captive.texts.wording import Texts
from doorstep.onboarding.steps import Step

__all__ = ["ENGLISH"]

ENGLISH: Final = Texts(
    code="en",
    name="English",
    language="Language",
    set_up="Set up {name}",
    choose_title="Choose your Wi-Fi",
    choose_lead="The device will join this network.",
    networks="Networks that the device hears",
    none_heard="The device hears no network with a name. Move it nearer to your router, or type the name.",
    searching="The device is listening for networks. This page loads again by itself.",
    search_again="Search again",
    signal="signal",
    strong="strong",
    medium="medium",
    weak="weak",
    secured="with password",
    is_open="no password",
    company="company log-in, not possible on this page",
    other="Another network",
    other_name="Name of the network",
    other_hint="For a network that is hidden or not in the list. Upper and lower case count.",
    proceed="Continue",
    password_title="Password of {ssid}",
    password="Wi-Fi password",
    password_hint="8 to 63 characters; upper and lower case count. Leave it empty if the network has none.",
    open_hint="This network has no password. Leave the field empty.",
    show="Show password",
    hide="Hide password",
    code_label="Set-up code of the device",
    code_hint="It is printed on the device's label.",
    owner="Registration",
    owner_lead="With a token from the portal the device registers itself to your account.",
    token="Registration token",
    token_ready="A registration token is ready. The device will register itself to your account.",
    server="Server address",
    connect="Connect the device",
    change_network="Choose another network",
    status_title="How it is going",
    what_now="What to do:",
    refreshes="This page loads again every {seconds} seconds.",
    pause="Stop loading again",
    check_now="Check now",
    may_vanish="If this page stops answering, the device has probably joined {ssid} and closed its own Wi-Fi. "
    "Go back to your own Wi-Fi and look at the device's page in the portal.",
    back_home="You can go back to your own Wi-Fi now.",
    retry="Try again",
    send_token="Send the token",
    error_title="Please check this",
    error="Please check this: {sentence}",
    no_choice="Choose a network, or type its name.",
    bad_name="A network's name has 1 to 32 bytes.",
    bad_password="A Wi-Fi password has 8 to 63 bytes, or 64 hexadecimal digits, or is empty.",
    bad_token="The token or the server's address is not complete. Copy both whole from the portal.",
    wrong_code="The code does not belong to this device. Check that the label is this device's.",
    wait="Too many wrong codes were tried. Wait {seconds} seconds; then try once more.",
    busy_title="Somebody else is setting up this device",
    busy_text="One person at a time can do it. If that was you on another phone, wait three minutes "
    "or switch the device off and on.",
    locked_title="This device belongs to somebody already",
    locked_text="Its owner opens its page in the portal and chooses 'Allow set-up again'. Then hold the device's "
    "button for ten seconds and set it up.",
    waits_for_hand="This device waits for a hand. Hold its button for ten seconds and set it up.",
    stale="This form was too old. Nothing was sent to the device; please fill it in again.",
    not_found="There is no such page on this device.",
    unsafe="This Wi-Fi is not encrypted. Somebody nearby can read what you type on this page. "
    "The device's maker allows it.",
    script_title="Set up with the code",
    script_lead="The code is never sent: this page proves to the device that you know it.",
    script_why="This Wi-Fi is not encrypted, so this page needs JavaScript to protect your password, and "
    "JavaScript is off or blocked here.",
    script_ways=(
        "Switch JavaScript on, or open {address} in your phone's own browser.",
        "Or use the app or the command doorstep provision with the code on the label.",
        "Or, if the label shows a Wi-Fi key, ask the maker for the version with the protected Wi-Fi.",
    ),
    script_twin="Whoever opens a Wi-Fi of the same name can show a false page that asks for the code. "
    "The app and the command cannot be fooled like that.",
    script_code="Set-up code or PIN",
    script_checking="Checking the code. This can take a few seconds.",
    script_secured="The connection is secured. Listening for networks.",
    script_lost="The device does not answer. Stay near it, and check that this phone is on the device's Wi-Fi.",
    script_refused="The device refused that. Load this page again.",
    script_downgrade="Do not go on: what answers here is not as safe as the device's label promises.",
    bring_title="Hand over your Wi-Fi",
    bring_lead="In the portal you locked your Wi-Fi for this device. What you locked came along with the "
    "link; or paste it here. Only this device can open it.",
    bring_scripts="This needs JavaScript. Without it, open the link with another browser, phone or computer.",
    bring_text="Locked text",
    bring="Hand it over",
    bring_bad="This text is incomplete or was changed. Copy it from the portal once more.",
    bring_refused="The device did not take it: it is meant for another device, or nobody has pressed this "
    "device's button. Press it (or switch the device off and on) and hand it over again.",
    bring_stale="The device did not take it: it has expired, or was handed over before. Lock your Wi-Fi "
    "once more in the portal.",
    bring_denied="The device is online, but its registration was refused. Lock your Wi-Fi once more in the portal and hand it over again.",
    steps={step: (step.sentence, step.next_step) for step in Step}
    | {
        Step.REFUSED: (Step.REFUSED.sentence, "Make a new registration token in the portal and send it here.")
    },
)
