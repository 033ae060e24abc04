"""Everything that changes custody, one verb a function, each in one transaction."""

from doorstep.server.custody.actions.batches import NewDevice, record_batch
from doorstep.server.custody.actions.imports import import_file, import_sales
from doorstep.server.custody.actions.registration import (
    Registration,
    register_device,
    register_devices,
    renew_credential,
)
from doorstep.server.custody.actions.sales import BadRow, SaleOutcome, SaleRefused, record_sale
from doorstep.server.custody.actions.stock import receive, return_to_maker, take_into_stock
from doorstep.server.custody.actions.tokens import make_registration_token
from doorstep.server.custody.actions.withdrawing import withdraw

__all__ = [
    "BadRow",
    "NewDevice",
    "Registration",
    "SaleOutcome",
    "SaleRefused",
    "import_file",
    "import_sales",
    "make_registration_token",
    "receive",
    "record_batch",
    "record_sale",
    "register_device",
    "register_devices",
    "renew_credential",
    "return_to_maker",
    "take_into_stock",
    "withdraw",
]
