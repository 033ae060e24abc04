"""Runs in the peer's environment: the official client code provisions the device at argv[1].

argv: host:port, user name (empty: security 1), code, network, then the passwords to try in order. Prints one
JSON object.
"""

import json
import sys
import time
from typing import Any

from rmaker_tools.common import prov, security, transport  # type: ignore[import-not-found]


def main(host: str, user: str, pop: str, ssid: str, *passwords: str) -> dict[str, object]:
    link = transport.Transport_HTTP(host, timeout=10)
    described = json.loads(link.send_data("proto-ver", "---"))["prov"]
    if user:
        session = security.Security2(described["sec_patch_ver"], user, pop, False)
    else:
        session = security.Security1(pop, False)
    _handshake(link, session)
    found = _scan(link, session)
    states = [_join(link, session, ssid, password) for password in passwords]
    return {"described": described, "found": found, "states": states}


def _handshake(link: Any, session: Any) -> None:
    response = None
    while (request := session.security_session(response)) is not None:
        response = link.send_data("prov-session", request)


def _scan(link: Any, session: Any) -> Any:
    prov.scan_start_response(session, link.send_data("prov-scan", prov.scan_start_request(session)))
    state = prov.scan_status_response(session, link.send_data("prov-scan", prov.scan_status_request(session)))
    request = prov.scan_result_request(session, 0, state["count"])
    return prov.scan_result_response(session, link.send_data("prov-scan", request))


def _join(link: Any, session: Any, ssid: str, password: str) -> str:
    request = prov.config_set_config_request(session, ssid, password)
    assert prov.config_set_config_response(session, link.send_data("prov-config", request)) == 0
    request = prov.config_apply_config_request(session)
    assert prov.config_apply_config_response(session, link.send_data("prov-config", request)) == 0
    state = "connecting"
    while state == "connecting":
        time.sleep(0.05)
        request = prov.config_get_status_request(session)
        state = prov.config_get_status_response(session, link.send_data("prov-config", request))
    if state == "failed":
        prov.ctrl_reset_response(session, link.send_data("prov-ctrl", prov.ctrl_reset_request(session)))
    return state


if __name__ == "__main__":
    sys.stdout.write(f"RESULT {json.dumps(main(*sys.argv[1:]))}\n")
