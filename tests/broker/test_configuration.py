from dataclasses import replace
from pathlib import Path

from doorstep.broker.configuration import BrokerFacts, TlsFiles, broker_configuration
from doorstep.runtime.brokers import User

FACTS = BrokerFacts(
    name="plain",
    nats_port=4223,
    mqtt_bind="0.0.0.0",
    mqtt_port=1883,
    store=Path("/state/broker/plain"),
    log_file=Path('/state/lo"gs/plain.log'),
    sync_interval_s=2,
    store_max_bytes=5,
    issuer="AISSUER",
    passwords={user: f"password-of-{user}" for user in User},
)


def test_internal_port_is_bound_to_the_loopback_address_whatever_mqtt_binds() -> None:
    text = broker_configuration(FACTS)
    assert 'listen: "127.0.0.1:4223"' in text
    assert 'listen: "0.0.0.0:1883"' in text


def test_plain_listener_has_no_tls_and_secure_one_demands_a_certificate() -> None:
    files = TlsFiles(Path("server.crt"), Path("server.key"), Path("ca.crt"))
    assert "tls" not in broker_configuration(FACTS)
    assert "verify: true" in broker_configuration(replace(FACTS, tls=files))


def test_every_service_user_is_exempt_from_the_callout() -> None:
    assert "auth_users: [ingest, auth, sys]" in broker_configuration(FACTS)


def test_paths_are_quoted() -> None:
    assert r'"/state/lo\"gs/plain.log"' in broker_configuration(FACTS)


def test_passwords_stay_out_of_the_facts_repr() -> None:
    assert "password-of" not in repr(FACTS)
