"""The REST API below ``/api/v1``."""

from typing import Final

from doorstep.server.api import (
    audit,
    batches,
    blocks,
    cases,
    commands,
    data,
    dead_letters,
    devices,
    gateways,
    handovers,
    imports,
    keys,
    ledger,
    onboarding,
    people,
    problems,
    products,
    readings,
    sales,
    standings,
    stock,
    tokens,
    webhooks,
)
from doorstep.server.api.auth import AUTHENTICATION
from doorstep.server.api.routing import Api, Router

__all__ = ["api"]

api: Final = Api(
    title="Doorstep",
    version="1",
    description="Products, sales, devices, readings and custody. Errors are problem documents (RFC 9457).",
    docs_url=None,
    auth=AUTHENTICATION,
    urls_namespace="api-v1",
    default_router=Router(),
)
for noun in (
    products,
    batches,
    sales,
    imports,
    stock,
    onboarding,
    devices,
    standings,
    gateways,
    blocks,
    readings,
    commands,
    keys,
    ledger,
    tokens,
    cases,
    handovers,
    data,
    dead_letters,
    audit,
    people,
    webhooks,
):
    api.add_router("", noun.router)
problems.install(api)
