"""What the platform contributes to a batch: the product, the issuing CA, and a place to record devices."""

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import cast

from doorstep.cli.factory import OpenedBatch, OpenedProduct, build_factory_group
from doorstep.cli.operating import operate
from doorstep.errors import MisuseError
from doorstep.factory.batch import DeviceRecord
from doorstep.identity.assurance import IdentityMethod
from doorstep.identity.provisioning import SealedVariant, Servers
from doorstep.ownership.actors import OPERATOR
from doorstep.runtime.authority import open_authority
from doorstep.runtime.settings import Settings, load
from doorstep.runtime.state import StateFolder

__all__ = ["factory"]


def _open_product(product_key: str) -> OpenedProduct:
    settings = load(os.environ)
    operate()
    from doorstep.server.clock import now_us  # noqa: PLC0415 - needs Django started
    from doorstep.server.custody.actions import record_batch  # noqa: PLC0415
    from doorstep.server.custody.keys import claim_code_pepper  # noqa: PLC0415
    from doorstep.server.fleet.products import find_product, open_batch_row  # noqa: PLC0415
    from doorstep.server.fleet.queries import known_hardware_ids  # noqa: PLC0415

    product = find_product(product_key)
    identity = IdentityMethod(product.identity_method)

    def open_batch(batch_id: str, count: int) -> OpenedBatch:
        authority = open_authority(StateFolder.open(settings.state).ca, "Doorstep", now=datetime.now(UTC))
        batch = open_batch_row(product, batch_id, count)

        def record(devices: Sequence[DeviceRecord]) -> None:
            record_batch(batch, devices, actor=OPERATOR, now_us=now_us())

        return OpenedBatch(claim_code_pepper(), authority, record)

    return OpenedProduct(
        product.key,
        product.name,
        tuple(product.onboarding_methods),
        identity,
        cast("SealedVariant", product.sealed_variant),
        Servers(
            _device_api(settings, identity),
            settings.public_host,
            settings.mqtt_tls_port,
            settings.mqtt_plain_port,
        ),
        # A phone reaches no localhost, and nobody should type a claim code into a page without TLS.
        settings.base_url if settings.base_url.startswith("https://") else "",
        known_hardware_ids,
        open_batch,
    )


def _device_api(settings: Settings, identity: IdentityMethod) -> str:
    if identity is not IdentityMethod.SYMMETRIC_KEY:
        return settings.device_api_url
    if not settings.device_api_plain_url:
        raise MisuseError(
            "devices of this product have no TLS, and the address where they register is closed",
            next_step="Set DOORSTEP_DEVICE_API_PLAIN_PORT, as 8480, and start the platform again.",
        )
    return settings.device_api_plain_url


factory = build_factory_group(_open_product)
