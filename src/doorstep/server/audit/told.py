"""Which tables the trail tells of, and which columns: never a secret, a hash of one, or a reading."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

__all__ = ["TOLD", "Told"]


@dataclass(frozen=True, slots=True)
class Told:
    """What an entry says of a row."""

    noun: str
    name: str
    """Lookup of what people know the row by."""
    columns: tuple[str, ...]
    device: str = ""
    """Lookup of the device that it is about; empty for none, ``pk`` where it is the device."""


_OF_DEVICE: Final = (
    "life",
    "owner_id",
    "alias",
    "site__name",
    "blocked",
    "standing",
    "disputed",
    "label_state",
    "setup_released_us",
    "gateway__device_id",
    "ownership_period",
    "generation",
)
_OF_PRODUCT: Final = (
    "name",
    "identity_method",
    "claim_policy",
    "claim_policy_version",
    "onboarding_methods",
    "legacy_formats",
    "release_setup_code",
    "roots_by_hand",
    "rotate_after_days",
)

TOLD: Final[Mapping[str, Told]] = {
    "accounts.Organisation": Told("organisation", "name", ("name", "email")),
    "accounts.Member": Told("member", "user__email", ("role", "limited")),
    "accounts.Invitation": Told("invitation", "email", ("role", "limited", "closed_us")),
    "accounts.DeviceGroup": Told("group", "name", ("name",)),
    "accounts.ApiKey": Told("key", "prefix", ("name", "scopes", "group__name", "expires_at", "revoked_at")),
    "fleet.Product": Told("product", "key", _OF_PRODUCT),
    "fleet.Batch": Told("batch", "number", ("product__key", "count")),
    "fleet.Device": Told("device", "device_id", _OF_DEVICE, "pk"),
    "fleet.GroupedDevice": Told("placing", "device__device_id", ("group__name",), "device"),
    "fleet.Site": Told("site", "name", ("name", "address", "latitude", "longitude")),
    "fleet.BlockEntry": Told("line", "value", ("action", "kind", "reason", "lifted_by_id")),
    "fleet.KeyRotation": Told("rotation", "number", ("kind", "stage", "outcome"), "device"),
    "channels.Downlink": Told("command", "command_id", ("channel", "name", "state"), "device"),
    "channels.DesiredSettings": Told("settings", "device__device_id", ("version",), "device"),
    "readings.Threshold": Told("threshold", "pk", ("kind", "name", "value", "mail"), "device"),
    "webhooks.WebhookEndpoint": Told("webhook", "number", ("url", "types", "description", "enabled")),
    "custody.Sale": Told("order", "order", ("buyer_email", "wholesaler__name", "source")),
    "custody.ImportRun": Told("file", "pk", ("stored", "unchanged", "failed")),
    "custody.RegistrationToken": Told("token", "pk", ("alias", "expires_at_us")),
    "custody.ClaimRequest": Told("claim", "serial", ("alias", "mail_asked_us")),
    "custody.ClaimMail": Told("mail", "pk", ("sent_us", "confirmed"), "device"),
    "custody.DeviceGrant": Told("grant", "pk", ("state", "alias")),
    "custody.Dispute": Told("case", "pk", ("state",), "device"),
    "custody.CaseFile": Told("paper", "pk", ("name", "kind", "size"), "dispute__device"),
    "custody.Handover": Told("offer", "pk", ("way", "state", "data", "email"), "device"),
    "custody.DataJob": Told("job", "pk", ("kind", "period", "next_period", "then_erase"), "device"),
    "custody.PastOwnership": Told("past", "pk", ("period", "gone_us"), "device"),
}
"""By the label of the model."""
