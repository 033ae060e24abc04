import asyncio

from doorstep.device.wifi.hostnetwork import HostNetwork
from doorstep.onboarding.network import Joined, JoinFailure, NetworkCredentials
from doorstep.wire.provisioning.scan import ScanStart

ANY = NetworkCredentials(b"any")


def test_host_is_joined_where_there_is_a_way_to_the_platform() -> None:
    outcome = asyncio.run(HostNetwork("https://127.0.0.1:8443").try_connect(ANY))
    assert outcome == Joined("127.0.0.1")


def test_host_without_a_way_to_the_platform_says_so() -> None:
    outcome = asyncio.run(HostNetwork("https://no-such-host.invalid").try_connect(ANY))
    assert outcome is JoinFailure.NO_ADDRESS


def test_host_hears_no_radio() -> None:
    assert asyncio.run(HostNetwork("https://127.0.0.1").scan(ScanStart())) == ()
