"""Second factors, recovery codes, and the list of sessions. Passkeys are tried in a real browser."""

import re

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.core.cache import cache
from django.db import transaction
from django.test import Client

from doorstep.server.audit.models import AuditRow
from tests.server.portal.browsing import enter
from tests.server.portal.world import PASSWORD, World

pytestmark = pytest.mark.usefixtures("rolled_back")


def _code(secret: str) -> str:
    counter = next(iter(yield_hotp_counters_from_time()))
    return str(format_hotp_value(hotp_value(secret, counter)))


def _turn_on(client: Client) -> tuple[str, list[str]]:
    """Set an app up; return its secret and the recovery codes."""
    page = client.get("/accounts/2fa/totp/activate/").content.decode()
    assert "data:" not in page
    found = re.search(r'class="mono">([A-Z2-7]{32})<', page)
    assert found
    shown = client.post("/accounts/2fa/totp/activate/", {"code": _code(found[1])}, follow=True)
    return found[1], re.findall(r"<li>(\d{8})</li>", shown.content.decode())


def _log_in(world: World) -> Client:
    client = Client()
    answer = client.post("/accounts/login/", {"login": world.owner.email, "password": PASSWORD})
    assert answer["Location"] == "/accounts/2fa/authenticate/"
    assert client.get("/devices/").status_code == 302
    return client


def test_password_alone_opens_nothing_when_an_app_is_on(world: World, client: Client) -> None:
    enter(client, world.owner)
    secret, codes = _turn_on(client)
    assert len(codes) == 10
    fresh = _log_in(world)
    wrong = fresh.post("/accounts/2fa/authenticate/", {"code": "000000"}).content.decode()
    assert "This code is not the one of now" in wrong
    cache.clear()
    assert fresh.post("/accounts/2fa/authenticate/", {"code": _code(secret)}).status_code == 302
    assert fresh.get("/devices/").status_code == 200


def test_recovery_code_opens_once(world: World, client: Client) -> None:
    enter(client, world.owner)
    _, codes = _turn_on(client)
    assert _log_in(world).post("/accounts/2fa/authenticate/", {"code": codes[0]}).status_code == 302
    again = _log_in(world).post("/accounts/2fa/authenticate/", {"code": codes[0]})
    assert "This code is not the one of now" in again.content.decode()


def test_secret_of_an_app_is_not_readable_in_the_database(world: World, client: Client) -> None:
    enter(client, world.owner)
    secret, codes = _turn_on(client)
    for row in Authenticator.objects.filter(user=world.owner):
        assert secret not in str(row.data)
        assert not any(code in str(row.data) for code in codes)


@pytest.mark.parametrize(
    "path",
    [
        "/accounts/2fa/totp/activate/",
        "/accounts/2fa/webauthn/add/",
        "/accounts/2fa/recovery-codes/generate/",
    ],
)
def test_changing_a_factor_asks_whether_it_is_still_you(world: World, client: Client, path: str) -> None:
    client.force_login(world.owner)
    assert client.get(path)["Location"].startswith("/accounts/reauthenticate/")


def test_app_is_turned_off_and_codes_are_made_anew(world: World, client: Client) -> None:
    enter(client, world.owner)
    _, codes = _turn_on(client)
    client.post("/accounts/2fa/recovery-codes/generate/")
    shown = client.get("/accounts/2fa/recovery-codes/").content.decode()
    assert codes[0] not in shown
    assert "10 of 10 are left" in shown
    assert codes[0] not in client.get("/accounts/2fa/recovery-codes/download/").content.decode()
    client.post("/accounts/2fa/totp/deactivate/")
    assert "Off. With it" in client.get("/accounts/2fa/").content.decode()
    answer = Client().post("/accounts/login/", {"login": world.owner.email, "password": PASSWORD})
    assert answer["Location"] == "/"


def test_second_factors_come_and_go_in_the_audit_trail(
    world: World, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    # allauth tells after the commit, which a test that is rolled back never sees
    monkeypatch.setattr(transaction, "on_commit", lambda told, *_, **__: told())
    enter(client, world.owner)
    secret, codes = _turn_on(client)
    client.post("/accounts/2fa/recovery-codes/generate/")
    client.post("/accounts/2fa/totp/deactivate/")
    rows = AuditRow.objects.filter(actor__startswith=f"user:{world.owner.pk}@", action__endswith="-codes")
    actions = sorted(row.action for row in rows)
    assert actions == [
        "add-app-codes",
        "add-recovery-codes",
        "remove-app-codes",
        "remove-recovery-codes",
        "renew-recovery-codes",
    ]
    assert not any(code in str(bytes(row.details or b"")) for row in rows for code in [secret, *codes])


@pytest.mark.parametrize("credential", ["", "x", "{}", '{"id": 1}', "[]"])
def test_forged_passkey_opens_nothing(world: World, client: Client, credential: str) -> None:
    cache.clear()
    client.get("/accounts/2fa/webauthn/login/", headers={"X-Requested-With": "XMLHttpRequest"})
    answer = client.post("/accounts/2fa/webauthn/login/", {"credential": credential})
    assert answer.status_code == 302
    assert client.get("/devices/").status_code == 302


@pytest.mark.parametrize(
    "credential", ["x", "{}", '{"id": "AA", "rawId": "AA", "response": {}, "type": "x"}', "[]"]
)
def test_forged_passkey_is_not_added(world: World, client: Client, credential: str) -> None:
    enter(client, world.owner)
    client.get("/accounts/2fa/webauthn/add/")
    answer = client.post("/accounts/2fa/webauthn/add/", {"credential": credential, "name": "x"})
    assert answer.status_code == 200
    assert not Authenticator.objects.exists()


def test_sessions_are_listed_and_the_others_ended(world: World) -> None:
    cache.clear()
    here, elsewhere = Client(HTTP_USER_AGENT="Here"), Client(HTTP_USER_AGENT="Elsewhere")
    for client in (elsewhere, here):
        client.post("/accounts/login/", {"login": world.owner.email, "password": PASSWORD})
    page = here.get("/accounts/sessions/").content.decode()
    assert "Elsewhere" in page
    assert "This one" in page
    here.post("/accounts/sessions/")
    assert here.get("/devices/").status_code == 200
    assert elsewhere.get("/devices/").status_code == 302
