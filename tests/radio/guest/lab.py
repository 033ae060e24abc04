"""The laboratory inside the machine: hosts with a radio each, in network namespaces that hear one another.

``router``, ``device``, ``phone`` and ``sniffer`` have nothing in common but the air and the file system.
"""

import contextlib
import ctypes
import multiprocessing
import os
import shlex
import subprocess
import threading
import time
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Final, ParamSpec, TypeVar

__all__ = ["LOGS", "PASSPHRASE", "Host", "Lab", "LabError", "sh", "until", "wpa2"]

P = ParamSpec("P")
R = TypeVar("R")

LOGS: Final = Path("/tmp/logs")
"""What daemons say; a failed proof shows the ends of all of them."""

PASSPHRASE: Final = "correct horse battery"
CHANNEL_6: Final = 2437
NEW_NETWORK: Final = 0x40000000
"""``CLONE_NEWNET``: the kind of namespace that `_enter` changes."""

_fork = multiprocessing.get_context("fork")


class LabError(Exception):
    """A program of the laboratory failed, or what was waited for did not come."""


def sh(command: str, *, check: bool = True, timeout: float = 60) -> str:
    """Run a shell command and return what it printed; raises LabError where it fails."""
    done = subprocess.run(
        command, shell=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=timeout, check=False
    )
    printed = done.stdout.decode(errors="replace").strip()
    if check and done.returncode:
        raise LabError(f"{command}: exit code {done.returncode}: {printed[-600:]}")
    return printed


def until(look: Callable[[], R], what: str, seconds: float = 40) -> R:
    """Look until what is seen is true, and return it."""
    deadline = time.monotonic() + seconds
    while not (seen := look()):
        if time.monotonic() > deadline:
            raise LabError(f"after {seconds:.0f} s still no {what}")
        time.sleep(0.1)
    return seen


def wpa2(passphrase: str = PASSPHRASE) -> str:
    """Return hostapd's lines for a network with WPA2."""
    return f"wpa=2\nwpa_key_mgmt=WPA-PSK\nrsn_pairwise=CCMP\nwpa_passphrase={passphrase}\n"


class Host:
    """A machine of its own: one namespace, one radio, and the programs that run there."""

    def __init__(self, name: str, number: int) -> None:
        self.name = name
        self.interface = f"wlan{number}"
        self._running: list[subprocess.Popen[bytes]] = []
        self._forked: list[BaseProcess] = []
        sh(f"ip netns add {name}; ip -n {name} link set lo up; iw phy phy{number} set netns name {name}")
        self.mac = self.run(f"cat /sys/class/net/{self.interface}/address")

    def run(self, command: str, *, check: bool = True, timeout: float = 60) -> str:
        """Run a command here and return what it printed."""
        return sh(f"ip netns exec {self.name} {command}", check=check, timeout=timeout)

    def start(self, command: str, log: str = "") -> "subprocess.Popen[bytes]":
        """Start a program here that runs until `reset`; its words go to a file of `LOGS`."""
        with self.log(log or shlex.split(command)[0].rpartition("/")[2]).open("wb") as file:
            words = ["ip", "netns", "exec", self.name, *shlex.split(command)]
            process = subprocess.Popen(words, stdout=file, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        self._running.append(process)
        return process

    def log(self, name: str) -> Path:
        """Return the file that a program's words go to."""
        LOGS.mkdir(exist_ok=True)
        return LOGS / f"{self.name}-{name}"

    def said(self, log: str) -> str:
        """Return what a program said so far."""
        path = self.log(log)
        return path.read_text(errors="replace") if path.exists() else ""

    def inside(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Call a function in a thread whose sockets are this host's; an error comes out as it is."""
        results: list[R] = []
        errors: list[BaseException] = []

        def call() -> None:
            try:
                self._enter()
                results.append(function(*args, **kwargs))
            except BaseException as error:  # noqa: BLE001 - raised again in the caller's thread
                errors.append(error)

        thread = threading.Thread(target=call, daemon=True)
        thread.start()
        thread.join()
        for error in errors:
            raise error
        return results[0]

    def fork(self, function: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> BaseProcess:
        """Call a function in a process here, with all that is imported already; killed at `reset`.

        ``kill()`` of what is returned is a power cut.
        """

        def child() -> None:
            os.setsid()
            with self.log("forked").open("ab") as file:
                os.dup2(file.fileno(), 1)
                os.dup2(file.fileno(), 2)
            self._enter()
            function(*args, **kwargs)

        process: BaseProcess = _fork.Process(target=child)
        process.start()
        self._forked.append(process)
        return process

    def serve(self, ssid: str, security: str = "", more: str = "") -> None:
        """Be an access point by hostapd: ``security`` as of `wpa2`, nothing for an open one."""
        octets = ssid.encode(errors="surrogateescape").hex()
        lines = f"interface={self.interface}\ndriver=nl80211\nctrl_interface={self._control('hostapd')}\n"
        config = self.log("hostapd.conf")
        config.write_text(f"{lines}hw_mode=g\nchannel=6\nssid2={octets}\n{security}{more}")
        self.start(f"hostapd -t {config}", "hostapd")
        until(lambda: "AP-ENABLED" in self.said("hostapd"), "access point")

    def supplicant(self, config: str = "") -> None:
        """Start wpa_supplicant with a control socket in ``control``; ``config`` may hold networks."""
        path = self.log("wpa_supplicant.conf")
        # Three channels instead of all that a simulated radio has: most boards have the low band only.
        head = f"ctrl_interface={self._control('wpa')}\nupdate_config=1\nfreq_list=2412 2437 2462\n"
        path.write_text(head + config)
        self.start(f"wpa_supplicant -t -Dnl80211 -i{self.interface} -c{path}", "wpa_supplicant")
        until(self.control.exists, "control socket")

    @property
    def control(self) -> Path:
        """Where wpa_supplicant's control socket is."""
        return Path(self._control("wpa")) / self.interface

    @property
    def hostapd_control(self) -> Path:
        """Where hostapd's control socket is."""
        return Path(self._control("hostapd")) / self.interface

    def wpa_cli(self, command: str) -> str:
        """Ask wpa_supplicant and return its answer."""
        return self.run(f"wpa_cli -p {self._control('wpa')} -i {self.interface} {command}")

    def hostapd_cli(self, command: str) -> str:
        """Ask hostapd and return its answer."""
        return self.run(f"hostapd_cli -p {self._control('hostapd')} -i {self.interface} {command}")

    def status(self) -> dict[str, str]:
        """Return what wpa_supplicant says about itself."""
        lines = self.wpa_cli("status").splitlines()
        return dict(line.split("=", 1) for line in lines if "=" in line)

    def join(self, ssid: str, passphrase: str = "", seconds: float = 40) -> None:
        """Be a station of a network, by wpa_supplicant; waits until it is, without an address."""
        key = f'psk="{passphrase}"' if passphrase else "key_mgmt=NONE"
        self.supplicant(f"network={{\nssid={ssid.encode().hex()}\nscan_ssid=1\n{key}\n}}\n")
        until(lambda: self.status().get("wpa_state") == "COMPLETED", f"{self.name} on {ssid}", seconds)

    def address(self, cidr: str) -> None:
        """Give the radio's interface an address."""
        self.run(f"ip address replace {cidr} brd + dev {self.interface}")
        self.run(f"ip link set {self.interface} up")

    def dhcp_server(self, cidr: str = "10.1.0.1/24") -> None:
        """Take an address and give out .10 to .20 of its network, by busybox."""
        self.address(cidr)
        own = cidr.partition("/")[0]
        net = own.rpartition(".")[0]
        leases = self.log("leases")
        leases.touch()
        config = self.log("udhcpd.conf")
        config.write_text(
            f"start {net}.10\nend {net}.20\ninterface {self.interface}\nlease_file {leases}\n"
            f"pidfile {self.log('udhcpd.pid')}\nopt subnet 255.255.255.0\nopt router {own}\n"
        )
        self.start(f"/bin/busybox udhcpd -f {config}", "udhcpd")

    def dhcp_client(self) -> dict[str, str]:
        """Ask for an address once, take it, and return all that the server said, by udhcpc's names."""
        told, script = self.log("lease"), self.log("lease.sh")
        script.write_text(
            f'#!/bin/sh\n[ "$1" = bound ] || exit 0\nip address add $ip/$mask dev $interface\nenv >{told}\n'
        )
        script.chmod(0o755)
        self.run(f"/bin/busybox udhcpc -i {self.interface} -n -q -t 10 -T 1 -O 114 -s {script}", timeout=30)
        return dict(line.split("=", 1) for line in told.read_text().splitlines() if "=" in line)

    def monitor(self, frequency: int = CHANNEL_6) -> None:
        """Hear every frame of a channel; a packet socket on the interface gets them with radiotap."""
        device = self.interface
        self.run(f"ip link set {device} down")
        self.run(f"iw dev {device} set type monitor")
        # A monitor that was used before goes on hearing its old channel unless it goes down once more.
        for _ in range(2):
            self.run(f"ip link set {device} up")
            self.run(f"iw dev {device} set freq {frequency}")
            self.run(f"ip link set {device} down")
        self.run(f"ip link set {device} up")

    def reset(self) -> None:
        """Stop everything here and forget addresses, as after a power cut."""
        for child in self._forked:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(child.pid or 0, 9)
            child.kill()
            child.join()
        for process in self._running:
            process.terminate()
        for process in self._running:
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._running, self._forked = [], []
        self.run(f"ip address flush dev {self.interface}", check=False)
        self.run("ip route flush table main", check=False)
        self.run(f"ip link set {self.interface} down", check=False)
        self.run(f"iw dev {self.interface} set type managed", check=False)

    def _control(self, program: str) -> str:
        return f"/tmp/{self.name}-{program}"

    def _enter(self) -> None:
        """Move the calling thread into this host's network namespace."""
        libc = ctypes.CDLL(None, use_errno=True)
        with Path("/run/netns", self.name).open("rb") as namespace:
            if libc.setns(namespace.fileno(), NEW_NETWORK):
                raise LabError(f"no way into {self.name}: {os.strerror(ctypes.get_errno())}")


class Lab:
    """All hosts; made once for a machine, reset before every proof."""

    def __init__(self) -> None:
        sh("modprobe mac80211_hwsim radios=4")
        self.router = Host("router", 0)
        self.device = Host("device", 1)
        self.phone = Host("phone", 2)
        self.sniffer = Host("sniffer", 3)

    @property
    def hosts(self) -> tuple[Host, ...]:
        """Every host."""
        return self.router, self.device, self.phone, self.sniffer

    def reset(self) -> None:
        """Stop everything, and forget what was said."""
        for host in self.hosts:
            host.reset()
        for log in LOGS.glob("*"):
            log.unlink()
