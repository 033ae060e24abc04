"""Builds the small machine of the radio tests: Debian's kernel, and packages unpacked into an initramfs.

Nothing is installed or configured on this machine: `apt-get` only downloads, into the folder of the image.
"""

import compileall
import fcntl
import hashlib
import os
import py_compile
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

__all__ = ["Image", "ensure_image", "missing_programs"]

PACKAGES: Final = (
    "bluez",
    "busybox-static",
    "coreutils",
    "dash",
    "dbus",
    "dbus-daemon",
    "hostapd",
    "iproute2",
    "isc-dhcp-client",
    "iw",
    "kmod",
    "libgcc-s1",
    "libpython3.11-stdlib",
    "libstdc++6",
    "network-manager",
    "openssl",
    "python3-minimal",
    "udev",
    "wpasupplicant",
)
"""What runs in the machine; apt adds what they depend on."""

MODULES: Final = (
    *("9p", "9pnet_virtio", "virtio_pci", "virtio_console"),
    *("mac80211_hwsim", "veth", "bridge", "af_packet", "dummy"),
    *("ccm", "ctr", "gcm", "cmac", "ecb", "cbc", "xcbc", "aes_generic", "aesni_intel", "gf128mul"),
    *("ghash_generic", "algif_hash", "algif_skcipher", "algif_aead", "sha512_generic"),
    *("drbg", "jitterentropy_rng", "ecdh_generic"),
    *("hci_vhci", "uhid", "rfcomm", "bnep"),
)
"""Kernel modules that the machine may load, with what they need; mac80211 loads ``ccm`` by itself."""

APPLETS: Final = (
    *("cat", "chmod", "cut", "dmesg", "echo", "env", "false", "grep", "head", "hostname", "ip", "insmod"),
    *(
        "kill",
        "ln",
        "ls",
        "lsmod",
        "mkdir",
        "mknod",
        "mount",
        "mv",
        "ping",
        "poweroff",
        "ps",
        "rm",
        "run-parts",
    ),
    *("sed", "sleep", "tail", "timeout", "true", "udhcpc", "udhcpd", "umount", "wget", "chown", "logger"),
)
"""Programs of busybox for what the packages did not bring."""

NEVER_READ: Final = (
    *(
        f"usr/share/{name}"
        for name in ("bash-completion", "common-licenses", "doc", "i18n", "info", "lintian")
    ),
    *(f"usr/share/{name}" for name in ("locale", "man", "perl", "perl5", "zoneinfo")),
    *(f"usr/lib/x86_64-linux-gnu/{name}" for name in ("gconv", "perl", "perl-base", "security")),
    *(
        f"usr/lib/python3.11/{name}"
        for name in ("distutils", "ensurepip", "idlelib", "lib2to3", "pydoc_data")
    ),
    *(f"usr/lib/{name}" for name in ("apt", "dpkg", "locale", "systemd")),
    *("bin/systemctl", "usr/include", "usr/bin/perl", "var/cache"),
)

FILES: Final = {
    "etc/passwd": "root:x:0:0::/root:/bin/sh\nmessagebus:x:100:100::/:/bin/false\n",
    "etc/group": "root:x:0:\nmessagebus:x:100:\nnetdev:x:101:\nbluetooth:x:102:\n",
    "etc/hosts": "127.0.0.1 localhost\n10.1.0.1 platform\n",
    "etc/nsswitch.conf": "hosts: files\n",
    "etc/machine-id": "0123456789abcdef0123456789abcdef\n",
    "etc/NetworkManager/NetworkManager.conf": (
        "[main]\nplugins=keyfile\nauth-polkit=false\nno-auto-default=*\n"
        "[logging]\nlevel=INFO\n[device]\nwifi.scan-rand-mac-address=no\n"
    ),
    "init": """#!/bin/sh
export PATH=/sbin:/usr/sbin:/bin:/usr/bin HOME=/root
mount -t proc proc /proc; mount -t sysfs sysfs /sys; mount -t devtmpfs devtmpfs /dev
mkdir -p /dev/pts; mount -t devpts devpts /dev/pts; mount -t tmpfs tmpfs /run; mount -t tmpfs tmpfs /tmp
ip link set lo up
modprobe -a virtio_pci 9pnet_virtio 9p
share() { mkdir -p "$2"; mount -t 9p -o "trans=virtio,version=9p2000.L,msize=262144,$3" "$1" "$2"; }
share checkout /doorstep ro,cache=loose
share packages /packages ro,cache=loose
share outcome /outcome rw,cache=none
export PYTHONPATH=/doorstep/src:/doorstep:/packages PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
read up _ </proc/uptime; echo "the machine is up after $up s"
sh /outcome/command
echo $? >/outcome/exit
/bin/busybox poweroff -f
""",
}
"""Files of the machine that no package brings."""

MOUNT_POINTS: Final = (
    "dev",
    "doorstep",
    "outcome",
    "packages",
    "proc",
    "root",
    "run",
    "sys",
    "tmp",
    "var/lib/dhcp",
)

PROGRAMS: Final = {
    "apt-get": "apt",
    "cpio": "cpio",
    "depmod": "kmod",
    "dpkg-deb": "dpkg",
    "qemu-system-x86_64": "qemu-system-x86",
    "zstd": "zstd",
}
"""Program needed on this machine, and the Debian package that brings it."""

DEBIAN: Final = "bookworm"
PYTHON: Final = (3, 11)
"""What that Debian has; packages of the tests' own Python must fit it."""


@dataclass(frozen=True, slots=True)
class Image:
    """What qemu boots."""

    kernel: Path
    initrd: Path


def missing_programs() -> list[str]:
    """Name what this machine lacks for the radio tests; nothing where it can run them."""
    missing = [package for program, package in PROGRAMS.items() if not _which(program)]
    release = Path("/etc/os-release")
    if not release.exists() or f"VERSION_CODENAME={DEBIAN}" not in release.read_text(encoding="utf-8"):
        missing.append(f"Debian {DEBIAN}")
    if sys.version_info[:2] != PYTHON:
        missing.append("Python 3.11, as the machine has")
    if os.geteuid():
        missing.append("root")
    return missing


def ensure_image() -> Image:
    """Return the image, built if this recipe was not built before; a minute from nothing."""
    folder = _cache() / f"image-{_recipe()}"
    image = Image(folder / "vmlinuz", folder / "initrd.zst")
    with _alone(_cache()):
        if not (folder / "whole").exists():
            shutil.rmtree(folder, ignore_errors=True)
            _build(folder, image)
            (folder / "whole").touch()
    return image


def _cache() -> Path:
    checkout = Path(__file__).resolve().parents[2]
    return Path(os.environ.get("DOORSTEP_TEST_CACHE") or checkout / ".cache" / "radio")


def _recipe() -> str:
    return hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:16]


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Only one process builds; the others wait and find it built."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _build(folder: Path, image: Image) -> None:
    debs, root = folder / "debs", folder / "root"
    for each in (debs / "partial", root):
        each.mkdir(parents=True)
    _download(folder, debs)
    for deb in debs.glob("*.deb"):
        _run("dpkg-deb", "-x", str(deb), str(root))
    for name in NEVER_READ:
        _remove(root / name, keep="systemd-udevd")
    _add_kernel(root, folder / "kernel", image.kernel)
    _furnish(root)
    # Debian compiles a package's Python where it is configured. Here nobody does, so each import would.
    compileall.compile_dir(
        root / "usr/lib/python3.11", quiet=2, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH
    )
    pack = "find . | LC_ALL=C sort | cpio -o -H newc --quiet -R 0:0 | zstd -q -3 -o"
    _run("sh", "-c", f"{pack} {image.initrd}", folder=root)
    for each in (debs, root, folder / "kernel"):
        shutil.rmtree(each)


def _download(folder: Path, debs: Path) -> None:
    """Fetch the packages and all they need, as if nothing were installed here."""
    (folder / "status").touch()
    if not any(Path("/var/lib/apt/lists").glob("*Packages*")):
        _run("apt-get", "-qq", "update")
    options = {
        "Dir::State::status": folder / "status",
        "Dir::Cache::archives": debs,
        "Dir::Cache::pkgcache": "",
        "Dir::Cache::srcpkgcache": "",
        "APT::Install-Recommends": 0,
        "APT::Sandbox::User": "root",
        "APT::Architecture": "amd64",
    }
    flags = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
    _run("apt-get", "-qq", "-y", *flags, "--download-only", "install", *PACKAGES)


def _kernel_package() -> str:
    """Return the package that the newest kernel of this Debian is in; it alone, without tools to boot it."""
    told = _run("apt-cache", "depends", "linux-image-amd64")
    return next(line.split()[-1] for line in told.splitlines() if "Depends: linux-image" in line)


def _add_kernel(root: Path, unpacked: Path, kernel: Path) -> None:
    unpacked.mkdir()
    _run("apt-get", "-qq", "-o", "APT::Sandbox::User=root", "download", _kernel_package(), folder=unpacked)
    _run("dpkg-deb", "-x", str(next(unpacked.glob("*.deb"))), str(unpacked))
    modules = next((unpacked / "lib/modules").iterdir())
    shutil.copy(unpacked / f"boot/vmlinuz-{modules.name}", kernel)
    _run("depmod", "-b", str(unpacked), modules.name)
    needs = dict(
        line.split(":", 1) for line in (modules / "modules.dep").read_text(encoding="utf-8").splitlines()
    )
    target = root / "lib/modules" / modules.name
    for path in _with_needs(needs):
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(modules / path, target / path)
    for listing in ("modules.builtin", "modules.order"):
        shutil.copy(modules / listing, target / listing)
    _run("depmod", "-b", str(root), modules.name)


def _with_needs(needs: dict[str, str]) -> set[str]:
    wanted = set(MODULES)
    paths = {path for path in needs if Path(path).stem.replace("-", "_") in wanted}
    return paths | {need for path in paths for need in needs[path].split()}


def _furnish(root: Path) -> None:
    for name, content in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content, encoding="utf-8")
    (root / "init").chmod(0o755)
    for name in (
        "dev",
        "doorstep",
        "outcome",
        "packages",
        "proc",
        "root",
        "run",
        "sys",
        "tmp",
        "var/lib/dbus",
    ):
        (root / name).mkdir(parents=True, exist_ok=True)
    shutil.rmtree(root / "var/run", ignore_errors=True)
    _link(root / "var/run", "/run")
    # The shell is dash, for busybox' own would take its ``ip`` for iproute2's.
    _link(root / "bin/sh", "dash")
    for name in APPLETS:
        if not any(
            (root / folder / name).is_symlink() or (root / folder / name).exists() for folder in _PATH
        ):
            _link(root / "bin" / name, "/bin/busybox")


_PATH: Final = ("bin", "sbin", "usr/bin", "usr/sbin")


def _link(path: Path, target: str) -> None:
    path.unlink(missing_ok=True)
    path.symlink_to(target)


def _remove(path: Path, *, keep: str) -> None:
    """Remove a file or a folder, but not a program of the name ``keep`` in it."""
    if path.is_dir() and not path.is_symlink():
        for child in path.iterdir():
            _remove(child, keep=keep)
        if not any(path.iterdir()):
            path.rmdir()
    elif path.name != keep:
        path.unlink(missing_ok=True)


def _which(program: str) -> str | None:
    return shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


def _run(program: str, *arguments: str, folder: Path | None = None) -> str:
    command = [_which(program) or program, *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"building the image, {program} failed: {done.stderr.strip()[-600:]}")
    return done.stdout
