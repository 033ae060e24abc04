"""A stranger's generator of requests finds no answer that the description does not promise, and no failure.

CI tries a handful of requests for each operation; ``python3 tasks.py rest`` tries many.
"""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from schemathesis import Case, CheckContext, Response
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import positive_data_acceptance

from doorstep.server.accounts.api_keys import make_api_key
from doorstep.server.accounts.models import OrganisationKind
from doorstep.server.accounts.permissions import scopes_of
from doorstep.server.api import auth, onboarding
from doorstep.server.api.pace import Pace
from doorstep.server.clock import now_us
from doorstep.server.custody import actions
from doorstep.server.custody.actions.claiming import Claimant
from doorstep.server.custody.actions.requests import open_request
from doorstep.server.fleet.places import Site
from doorstep.server.readings.limits import ThresholdKind
from doorstep.server.readings.thresholds import add_threshold
from doorstep.server.webhooks.actions import add_endpoint
from tests.server.described import described
from tests.server.making import authority, customer, devices, maker, statement_of, wholesaler

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_EXAMPLES: Final = int(os.environ.get("DOORSTEP_TEST_REST_EXAMPLES", "4"))
_WHO: Final = ("maker", "wholesaler", "customer")


@dataclass(frozen=True, slots=True)
class Furnished:
    """Keys with all scopes, by kind of organisation, and what stands in the tables."""

    keys: dict[str, str]
    named: dict[str, list[Any]]
    """Name of a path's parameter → what is really there."""


@pytest.fixture(scope="module")
def furnished() -> Iterator[Furnished]:
    with transaction.atomic():
        owned, sold, made = devices(3, policy="device_key & setup_session")
        user, owner = customer()
        organisations = {"maker": maker()[1], "wholesaler": wholesaler(), "customer": owner}
        actions.record_sale(
            "W-1", [sold.serial], organisations["wholesaler"], actor="operator", source="api", now_us=now_us()
        )
        token, _ = actions.make_registration_token(owner, user, now_us=now_us())
        actions.register_device(statement_of(owned, token)[0], authority=authority(), now_us=now_us())
        keys = {}
        for who, one in organisations.items():
            keys[who], _ = make_api_key(one, "test", scopes_of(OrganisationKind(one.kind)))
            add_endpoint(one, "https://example.org/", (), "", now_us=now_us())
        claimant = Claimant(owner, user, "operator")
        asked = open_request(claimant, made.serial, now_us())
        site = Site.objects.create(organisation=owner, name="Here")
        watched = add_threshold(
            owned.row, ThresholdKind.SILENT, "", 30, mail=False, by="operator", now_us=now_us()
        )
        numbers = [1, asked.pk, site.pk, watched.pk]
        everything = [one.device_id for one in (owned, sold, made)]
        named: dict[str, list[Any]] = {
            "device_id": everything,
            "child_id": everything,
            "number": numbers,
            "key": [owned.row.product.key],
        }
        yield Furnished(keys, named)
        transaction.set_rollback(True)


@pytest.fixture(autouse=True)
def _unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody meet the end of an allowance."""
    monkeypatch.setattr(auth, "REQUESTS", Pace("requests", 10**9))
    monkeypatch.setattr(onboarding, "SEARCHES", Pace("searches", 10**9))


@pytest.fixture(scope="module", autouse=True)
def _one_connection() -> Iterator[None]:
    """Keep the connection with what is furnished, as Django's own test client does."""
    signals = request_started, request_finished
    for one in signals:
        one.disconnect(close_old_connections)
    yield
    for one in signals:
        one.connect(close_old_connections)


def _whole(app: "WSGIApplication") -> "WSGIApplication":
    """Give an empty file the line end behind it, which Werkzeug's client leaves out (RFC 2046 §5.1.1)."""

    def answer(environ: "WSGIEnvironment", start: "StartResponse") -> Iterable[bytes]:
        _, _, boundary = environ.get("CONTENT_TYPE", "").partition("multipart/form-data; boundary=")
        if boundary:
            behind = b"\r\n\r\n--" + boundary.strip('"').encode()
            body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
            body = body.replace(behind, behind[:4] + behind[2:])
            environ |= {"wsgi.input": BytesIO(body), "CONTENT_LENGTH": str(len(body))}
        return app(environ, start)

    return answer


_config = SchemathesisConfig()
schema = schemathesis.openapi.from_dict(described(), config=_config)
schema.app = _whole(get_wsgi_application())


def described_requests_are_understood(_: CheckContext, response: Response, case: Case[Any]) -> None:
    """What the description allows is never told to contradict it; it may be refused for what it says."""
    if case.meta is not None and case.meta.generation.mode.is_positive and response.status_code == 422:
        assert response.json()["type"] != "urn:doorstep:problem/not-as-described"


@pytest.mark.slow
@pytest.mark.timeout(3600)
@schema.given(who=st.sampled_from(_WHO), place=st.none() | st.integers(0, 3))
@schema.parametrize()
@settings(
    max_examples=_EXAMPLES,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize=_EXAMPLES < 100,
)
def test_every_answer_is_one_that_the_description_promises(
    case: Case[Any], furnished: Furnished, who: str, place: int | None
) -> None:
    headers = {"Authorization": f"Bearer {furnished.keys[who]}"}
    if place is not None and case.meta is not None and case.meta.generation.mode.is_positive:
        for name in case.path_parameters or {}:
            known = furnished.named.get(name, [])
            case.path_parameters[name] = known[place % len(known)] if known else case.path_parameters[name]
    with transaction.atomic():
        case.call_and_validate(
            headers=headers,
            excluded_checks=[positive_data_acceptance],
            additional_checks=[described_requests_are_understood],
        )
        transaction.set_rollback(True)
