"""No route and no page without its line in the table of authorisation, and docs that say the same."""

from django.test import Client

from tests.server.authorisation import PAGES, ROUTES, pages_there_are, routes_there_are
from tests.server.roles_page import PAGE, roles_page


def test_every_page_has_its_line_in_the_matrix() -> None:
    missing = pages_there_are().keys() - PAGES.keys()
    assert not missing, f"add a line each to PAGES of tests/server/authorisation.py: {sorted(missing)}"


def test_every_route_has_its_line_in_the_matrix() -> None:
    missing = routes_there_are().keys() - ROUTES.keys()
    assert not missing, f"add a line each to ROUTES of tests/server/authorisation.py: {sorted(missing)}"


def test_line_and_description_agree_about_scopes() -> None:
    for name, scopes in routes_there_are().items():
        assert set(scopes) == set(map(str, ROUTES[name].needs)), name


def test_strangers_open_no_route() -> None:
    client = Client()
    for name in routes_there_are():
        method, path = name.split()
        answer = client.generic(method, "/api/v1" + path.replace("{", "").replace("}", ""))
        assert answer.status_code in {401, 422}, name


def test_page_of_roles_is_what_the_permissions_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == roles_page()
