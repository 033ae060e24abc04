"""Sign-up, log-in, reset: allauth's flows with our words, our organisation and our limits."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.core.cache import cache
from django.test import Client

from doorstep.server.accounts.models import Member, User
from tests.server.portal.world import PASSWORD, World

pytestmark = pytest.mark.usefixtures("rolled_back")

EMAIL = "ada@example.org"


@pytest.fixture(autouse=True)
def outbox() -> Path:
    """An empty mail folder."""
    cache.clear()
    folder = Path(settings.EMAIL_FILE_PATH)
    for letter in folder.glob("*.log"):
        letter.unlink()
    return folder


def _sign_up(client: Client, email: str = EMAIL, **more: str) -> str:
    form = {"email": email, "password1": PASSWORD, "name": "", "organisation": ""} | more
    return client.post("/accounts/signup/", form, follow=True).content.decode()


def _link(client: Client, pattern: str) -> str:
    """Follow the developer page to the newest letter and take the link out of it."""
    listed = client.get("/developer/").content.decode()
    letter = re.search(r'href="(/developer/mail/[^"]+)"', listed)
    assert letter
    found = re.search(rf'href="http://[^/"]+({pattern}[^"]*)"', client.get(letter[1]).content.decode())
    assert found
    return found[1]


def test_sign_up_opens_an_organisation_only_for_a_confirmed_address(client: Client) -> None:
    page = _sign_up(client, name="Ada", organisation="Hill farm")
    assert "Look into your mail" in page
    assert client.get("/devices/").status_code == 302
    link = _link(client, "/accounts/confirm-email/")
    assert "Is <strong>ada@example.org</strong> your address?" in client.get(link).content.decode()
    welcome = client.post(link, follow=True).content.decode()
    assert "No devices yet" in welcome
    member = Member.objects.get(user__email=EMAIL)
    assert (member.role, member.organisation.name, member.organisation.kind) == (
        "owner",
        "Hill farm",
        "customer",
    )
    assert member.user.name == "Ada"


def test_sign_up_needs_neither_name_nor_organisation(client: Client) -> None:
    _sign_up(client, "Grace@Example.org")
    assert Member.objects.get(user__email="grace@example.org").organisation.name == "grace@example.org"


def test_sign_up_tells_nobody_that_an_address_is_known(client: Client, world: World) -> None:
    assert "Look into your mail" in _sign_up(client)
    assert "Look into your mail" in _sign_up(Client(), world.owner.email)
    assert User.objects.filter(email=world.owner.email).count() == 1
    assert "You have an account already" in client.get("/developer/").content.decode()


BAD_PASSWORDS = {"short": "abc", "common": "password123", "like the address": "ada@example.org"}


@pytest.mark.parametrize("password", BAD_PASSWORDS.values(), ids=BAD_PASSWORDS)
def test_sign_up_refuses_a_weak_password(client: Client, password: str) -> None:
    page = _sign_up(client, password1=password)
    assert '<a href="#id_password1">' in page
    assert not User.objects.filter(email=EMAIL).exists()


def test_password_is_reset_by_mail(client: Client, world: World) -> None:
    client.post("/accounts/password/reset/", {"email": world.owner.email})
    link = _link(client, "/accounts/password/reset/key/")
    form = client.get(link, follow=True)
    address = form.redirect_chain[-1][0]
    page = client.post(address, {"password1": "another quiet door"}, follow=True).content.decode()
    assert "The password is changed" in page
    assert Client().login(email=world.owner.email, password="another quiet door")
    assert "no longer good" in client.get(link, follow=True).content.decode()


def test_reset_tells_nobody_that_an_address_is_unknown(client: Client, world: World) -> None:
    known = client.post("/accounts/password/reset/", {"email": world.owner.email}, follow=True)
    unknown = client.post("/accounts/password/reset/", {"email": "nobody@example.org"}, follow=True)
    token = re.compile(rb'name="csrfmiddlewaretoken" value="\w+"')
    assert token.sub(b"", known.content) == token.sub(b"", unknown.content)


def test_guessing_from_elsewhere_never_locks_the_owner_out(world: World) -> None:
    guesser, owner = Client(REMOTE_ADDR="203.0.113.9"), Client(REMOTE_ADDR="198.51.100.7")
    guesses = [{"login": world.owner.email, "password": f"guess {number}"} for number in range(6)]
    pages = [guesser.post("/accounts/login/", guess).content.decode() for guess in guesses]
    assert "Too many wrong passwords from your address" not in pages[0]
    assert "Too many wrong passwords from your address" in pages[-1]
    right = {"login": world.owner.email, "password": PASSWORD}
    assert guesser.post("/accounts/login/", right).status_code == 200
    assert owner.post("/accounts/login/", right).status_code == 302


def test_wrong_password_and_unknown_address_look_alike(world: World, client: Client) -> None:
    def page(address: str) -> str:
        answer = client.post("/accounts/login/", {"login": address, "password": "wrong one here"})
        return re.sub(r'(value|name="csrfmiddlewaretoken" value)="[^"]*"', "", answer.content.decode())

    assert page(world.owner.email) == page("nobody@example.org")


def test_user_changes_the_password_and_hears_of_it(world: World, client: Client) -> None:
    client.post("/accounts/login/", {"login": world.owner.email, "password": PASSWORD})
    form = {"oldpassword": PASSWORD, "password1": "a third quiet door"}
    page = client.post("/accounts/password/change/", form, follow=True).content.decode()
    assert "The password is changed" in page
    assert "Your password was changed" in client.get("/developer/").content.decode()


def test_log_out_ends_the_session(world: World, client: Client) -> None:
    client.force_login(world.owner)
    assert "Log out?" in client.get("/accounts/logout/").content.decode()
    client.post("/accounts/logout/")
    assert client.get("/devices/").status_code == 302


def test_developer_page_is_not_there_when_it_is_off(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    from doorstep.server.portal.views import developer  # noqa: PLC0415 - only what this test changes

    class Off:
        developer_page = False

    monkeypatch.setattr(developer, "DOORSTEP", Off)
    for path in ("/developer/", "/developer/components/", "/developer/mail/x/"):
        assert client.get(path).status_code == 404


def test_letter_shows_nothing_as_markup(client: Client, outbox: Path) -> None:
    raw = "Subject: <b>x</b>\nTo: a@example.org\nDate: Sat, 21 Nov 2026 12:00:00 +0000\n\n<script>alert(1)</script>\nhttps://example.org/?a=1&b=2\n"
    (outbox / "1.log").write_text(raw + "-" * 79 + "\n")
    page = client.get("/developer/mail/1-0/").content.decode()
    assert "<script>alert" not in page
    assert "<b>x" not in page
    assert 'href="https://example.org/?a=1&amp;b=2"' in page
    assert client.get("/developer/mail/..%2Fkey/").status_code == 404
