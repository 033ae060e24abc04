"""A product's claim policy by REST, and the advice about products."""

from django.test import Client

from tests.server.making import product

_SITUATION = {
    "damage": "data",
    "price": "40",
    "budget": "2",
    "units": "5000",
    "chip": "tls",
    "sales": "direct",
    "can_scan": "true",
    "control": "button",
    "line_online": "true",
}


def test_policy_is_shown_with_who_could_claim_and_changed_as_a_version(erp: Client) -> None:
    path = f"/api/v1/products/{product().key}/claim-policy"
    shown = erp.get(path).json()
    assert (shown["version"], shown["history"]) == (1, [])
    assert any(one["surprising"] for one in shown["trials"])
    wish = {"claim_policy": "device_key & setup_session & sale"}
    changed = erp.put(path, wish, content_type="application/json").json()
    assert (changed["version"], [one["version"] for one in changed["history"]]) == (2, [2, 1])
    assert not any(one["surprising"] for one in changed["trials"])


def test_policy_is_tried_and_nonsense_is_refused(erp: Client) -> None:
    def tried(text: str) -> int:
        body = {"claim_policy": text}
        return erp.post("/api/v1/claim-policies/try", body, content_type="application/json").status_code

    assert tried("device_key & sale") == 200
    assert tried("friendship") == 422


def test_advice_is_that_of_the_command(erp: Client) -> None:
    told = erp.get("/api/v1/advice", _SITUATION | {"assume": ["label=0.5", "claim-code=0.1"]}).json()
    assert told["recommended"]["identity"] == "certificate"
    assert told["assumed"]["label"] == {"cost": "0.5", "what": "a label with the set-up code"}
    assert erp.get("/api/v1/advice", _SITUATION | {"assume": "gold=1"}).status_code == 422
    assert erp.get("/api/v1/advice", _SITUATION | {"price": "99999999"}).status_code == 422
