"""The steps of onboarding as a customer sees them: each with its plain sentence and what to do next."""

import enum

from doorstep.wire.provisioning.delivery import DeviceStage

__all__ = ["STEP_OF_STAGE", "Step"]


class Step(enum.Enum):
    """One step; ``sentence`` says what happened, ``next_step`` what the customer does now."""

    FOUND = ("found", "The device answers.", "")
    SECURED = ("secured", "The connection is secured by the code on the label.", "")
    NETWORKS = ("networks", "The device has listed the Wi-Fi networks it hears.", "Choose yours.")
    DELIVERED = ("delivered", "The device knows whose it will be.", "")
    WAITING = ("waiting", "The device waits for a network.", "Choose one.")
    TRYING = ("trying", "The device is joining the network.", "")
    WRONG_PASSWORD = (
        "wrong-password",
        "The network refused the password.",
        "Type it again; upper and lower case count.",
    )
    NO_SUCH_NETWORK = (
        "no-such-network",
        "The device hears no network of that name.",
        "Check the name, move the device nearer, and make sure that 2.4 GHz is on.",
    )
    NO_ADDRESS = (
        "no-address",
        "The network took the device in but gave it no address.",
        "Restart the router, or ask whoever runs it whether it is full or knows its devices by list.",
    )
    NO_INTERNET = (
        "no-internet",
        "The device is on the network, but the network does not reach the internet.",
        "Check the router's internet connection; the device tries again by itself.",
    )
    NO_SERVER = (
        "no-server",
        "The device is online but cannot reach its server.",
        "Wait a few minutes; the device tries again by itself. If it lasts, ask the maker.",
    )
    WRONG_CLOCK = (
        "wrong-clock",
        "The device is online, but its clock is too wrong to check its server.",
        "Leave it on for a few minutes; if it lasts, the network blocks time service (NTP).",
    )
    RADIO_FAILED = (
        "radio-failed",
        "The device's Wi-Fi did not answer.",
        "Switch the device off and on, and try again; ask the maker if it lasts.",
    )
    CHECKING = (
        "checking",
        "The device is silent; it may already be online. Checking with the platform.",
        "Wait, or look at the device's page in the portal.",
    )
    CONNECTED = ("connected", "The device is on the network.", "")
    REGISTERING = ("registering", "The device is telling its server about its new owner.", "")
    REGISTERED = ("registered", "The device belongs to you now.", "")
    HELD = (
        "held",
        "The device is online, but its registration waits for a person to look at it.",
        "You get mail as soon as it is decided.",
    )
    REFUSED = (
        "refused",
        "The device is online, but its registration was refused.",
        "Make a new registration token in the portal and run the set-up again.",
    )

    def __init__(self, key: str, sentence: str, next_step: str) -> None:
        self.key = key
        self.sentence = sentence
        self.next_step = next_step


STEP_OF_STAGE = {
    DeviceStage.WAITING: Step.WAITING,
    DeviceStage.TRYING: Step.TRYING,
    DeviceStage.WRONG_PASSWORD: Step.WRONG_PASSWORD,
    DeviceStage.NO_SUCH_NETWORK: Step.NO_SUCH_NETWORK,
    DeviceStage.NO_ADDRESS: Step.NO_ADDRESS,
    DeviceStage.NO_INTERNET: Step.NO_INTERNET,
    DeviceStage.NO_SERVER: Step.NO_SERVER,
    DeviceStage.CONNECTED: Step.CONNECTED,
    DeviceStage.REGISTERING: Step.REGISTERING,
    DeviceStage.REGISTERED: Step.REGISTERED,
    DeviceStage.HELD: Step.HELD,
    DeviceStage.REFUSED: Step.REFUSED,
    DeviceStage.WRONG_CLOCK: Step.WRONG_CLOCK,
    DeviceStage.RADIO_FAILED: Step.RADIO_FAILED,
}
"""How a device's own account of itself reads to the customer."""
