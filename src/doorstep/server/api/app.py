"""The REST API below ``/api/v1``."""

from typing import Final

from doorstep.server.api import (
    advice,
    api_keys,
    audit,
    batches,
    blocks,
    cases,
    claims,
    commands,
    data,
    dead_letters,
    devices,
    gateways,
    handovers,
    health,
    held_claims,
    history,
    imports,
    keys,
    ledger,
    onboarding,
    people,
    policies,
    problems,
    products,
    readings,
    sales,
    sites,
    standings,
    stock,
    thresholds,
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
    health,
    audit,
    people,
    webhooks,
    policies,
    advice,
    claims,
    held_claims,
    sites,
    thresholds,
    history,
    api_keys,
):
    api.add_router("", noun.router)
problems.install(api)
