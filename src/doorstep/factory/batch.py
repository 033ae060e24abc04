"""Makes the devices of a batch on all cores: keys, certificate, secrets and everything computed from them."""

import os
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final, Literal

from doorstep.crypto import p256
from doorstep.crypto.p256 import PrivateKey, PublicKey
from doorstep.crypto.x509 import Certificate, Issuer
from doorstep.factory.content import LabelContent
from doorstep.factory.nvs import nvs_image
from doorstep.factory.qr import draw_qr
from doorstep.factory.workers import spread
from doorstep.identity import certificates, claim_code, ids
from doorstep.identity.assurance import IdentityMethod
from doorstep.identity.provisioning import (
    ROOT_KEY_LENGTH,
    Provisioning,
    SealedVariant,
    Servers,
    SetupVerifier,
)
from doorstep.onboarding.access_point import access_point_key
from doorstep.onboarding.ble.oob import OobSecret
from doorstep.onboarding.dpp.label_key import device_label
from doorstep.onboarding.label import SEC1, SEC2, SetupLabel, Transport
from doorstep.onboarding.methods import DEFAULTS
from doorstep.onboarding.pin.secret import make_pin
from doorstep.onboarding.protocomm import credentials
from doorstep.runtime.authority import Authority

__all__ = ["BatchRequest", "DeviceOrder", "DeviceRecord", "MadeDevice", "make_devices"]

_CHUNK: Final = 50
"""Devices made, recorded and published together."""

_SERVICE_PREFIX: Final = "PROV_"
"""Phone apps list access points that begin with it."""

_MICRO_AP: Final = "micro-ap"
_PIN: Final = "pin"
_HTTPS: Final = "https-pinned"
_SEC1: Final = "protocomm-sec1"
_NEED_THE_CODE: Final = frozenset({_SEC1, "protocomm-console"})
_SEC2_SOFTAP: Final = "protocomm-sec2"
_SEC2_BLE: Final = "protocomm-sec2-ble"
_DPP: Final = "dpp"
_OOB: Final = "ble-oob"

_CODE_SCHEMES: Final = frozenset({_SEC1, _SEC2_SOFTAP, _SEC2_BLE})
"""Methods whose apps scan the set-up label; without them the only code on the label may be Easy Connect's."""


@dataclass(frozen=True, slots=True)
class DeviceOrder:
    """One device to make."""

    serial: str
    hardware_id: str | None = None
    """Normalised, as `ids.parse_hardware_id` returns it."""
    element_key: bytes | None = None
    """DER SubjectPublicKeyInfo of the key in its secure element; None where there is no element."""
    row: int = field(default=0, compare=False)
    """Its number in the file that asks for it."""


@dataclass(frozen=True, slots=True)
class BatchRequest:
    """What to make."""

    batch_id: str
    product: str
    product_name: str
    """As people read it on the label."""
    devices: tuple[DeviceOrder, ...]
    servers: Servers
    pepper: bytes = field(repr=False)
    """The platform's key of claim code hashes."""
    now: datetime
    methods: tuple[str, ...] = DEFAULTS
    """Keys of the onboarding methods that the devices open."""
    identity: IdentityMethod = IdentityMethod.CERTIFICATE
    """``SYMMETRIC_KEY`` makes devices that have no key but their root; ``SECURE_ELEMENT`` needs orders with
    an ``element_key``."""
    sealed: SealedVariant = "ratchet-8"
    """How they seal."""
    portal: str = ""
    """Address whose claim page labels name; empty: they name none."""


@dataclass(frozen=True, slots=True)
class DeviceRecord:
    """What the platform keeps of a device; the root key is to be wrapped before it is stored."""

    device_id: str
    serial: str
    hardware_id: str | None
    idevid: bytes
    """DER certificate; empty, as the next two are, where the root key is the identity."""
    fingerprint: str
    """SHA-256 of the certificate, lower-case hex."""
    public_key: bytes
    """DER SubjectPublicKeyInfo."""
    claim_code_hash: bytes = field(repr=False)
    setup_code: str = field(repr=False)
    """As on the label; the platform keeps it only where the product says so."""
    oob_code: str = field(repr=False)
    """The out-of-band data of its Bluetooth pairing, empty without; kept as the set-up code is."""
    root_key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class MadeDevice:
    """A device as it leaves the worker: the platform's part and the parts that go away with the device."""

    record: DeviceRecord
    provisioning: bytes = field(repr=False)
    nvs: bytes = field(repr=False)
    label: LabelContent = field(repr=False)


def make_devices(
    request: BatchRequest, authority: Authority, *, workers: int | None = None
) -> Generator[list[MadeDevice], None, None]:
    """Yield the devices in the order asked for, up to fifty at a time, made by ``workers`` processes.

    Only a few chunks are ahead of the consumer. What one process can do is done in this one. Raises
    `WorkerDied`.
    """
    chunks = [request.devices[at : at + _CHUNK] for at in range(0, len(request.devices), _CHUNK)]
    setup = _WorkerSetup.of(request, authority)
    count = min(workers or os.cpu_count() or 1, len(chunks))
    if count == 1:
        yield from map(_prepare(setup), chunks)
    else:
        yield from spread(_prepare, setup, chunks, count)


@dataclass(frozen=True, slots=True)
class _WorkerSetup:
    """What a worker needs, in a form that pickles."""

    request: BatchRequest
    factory_key: bytes = field(repr=False)
    factory_certificate: bytes
    root_certificate: bytes

    @classmethod
    def of(cls, request: BatchRequest, authority: Authority) -> "_WorkerSetup":
        return cls(
            replace(request, devices=()),
            authority.factory.key.to_pkcs8(),
            authority.factory.certificate.der,
            authority.root.der,
        )


class _Maker:
    """One worker's tables and keys."""

    def __init__(self, setup: _WorkerSetup) -> None:
        self._request = setup.request
        self._issuer = Issuer(
            Certificate(setup.factory_certificate), PrivateKey.from_pkcs8(setup.factory_key)
        )
        self._root = Certificate(setup.root_certificate)

    def make(self, order: DeviceOrder) -> MadeDevice:
        device_id = ids.new_device_id(os.urandom)
        born = (
            None if self._request.identity is IdentityMethod.SYMMETRIC_KEY else self._born(order, device_id)
        )
        methods = self._request.methods
        setup = make_pin(os.urandom) if _PIN in methods else credentials.generate(os.urandom)
        code = claim_code.generate(os.urandom)
        record = DeviceRecord(
            device_id=device_id,
            serial=order.serial,
            hardware_id=order.hardware_id,
            idevid=born.idevid.der if born else b"",
            fingerprint=born.idevid.fingerprint if born else "",
            public_key=born.idevid.public_key.spki if born else b"",
            claim_code_hash=code.hash(self._request.pepper),
            setup_code=setup.pop,
            oob_code=OobSecret.of(born.key).share().text() if born and born.key and _OOB in methods else "",
            root_key=os.urandom(ROOT_KEY_LENGTH),
        )
        provisioning = self._provisioning(record, born, setup)
        return MadeDevice(
            record,
            provisioning.to_json(),
            nvs_image(provisioning),
            self._label(record, born, code, setup),
        )

    def _born(self, order: DeviceOrder, device_id: str) -> "_Born":
        in_element = self._request.identity is IdentityMethod.SECURE_ELEMENT
        key = None if in_element else p256.generate(os.urandom)
        idevid = certificates.issue_idevid(
            self._issuer,
            key.public_key if key else PublicKey.from_spki(order.element_key or b""),
            device_id=device_id,
            device_serial=order.serial,
            now=self._request.now,
            serial=certificates.new_certificate_serial(os.urandom),
        )
        return _Born(key, idevid)

    def _provisioning(
        self,
        record: DeviceRecord,
        born: "_Born | None",
        setup: credentials.Sec2Credentials,
    ) -> Provisioning:
        chain = born.idevid.pem + self._issuer.certificate.pem if born else b""
        return Provisioning(
            device_id=record.device_id,
            serial=record.serial,
            product=self._request.product,
            hardware_id=record.hardware_id,
            private_key=born.key.to_pem().decode("ascii") if born and born.key else "",
            certificate_chain=chain.decode("ascii"),
            trust_anchor=self._root.pem.decode("ascii"),
            root_key=record.root_key,
            setup=SetupVerifier(
                _SERVICE_PREFIX + record.device_id,
                setup.username,
                setup.salt,
                setup.verifier,
                setup.pop if _NEED_THE_CODE.intersection(self._request.methods) else None,
            ),
            servers=self._request.servers,
            onboarding=self._request.methods,
            identity=born.identity if born else "symmetric_key",
            sealed=self._request.sealed,
        )

    def _label(
        self,
        record: DeviceRecord,
        born: "_Born | None",
        code: claim_code.ClaimCode,
        setup: credentials.Sec2Credentials,
    ) -> LabelContent:
        methods = self._request.methods
        label = _setup_label(_SERVICE_PREFIX + record.device_id, setup, methods)
        access_key = access_point_key(setup.verifier) if _MICRO_AP in methods else ""
        fingerprint = record.fingerprint if _HTTPS in methods else ""
        label = replace(label, password=access_key, fingerprint=fingerprint, oob=record.oob_code)
        text = label.encode()
        easy_connect = (
            device_label(born.key, record.serial).encode() if born and born.key and _DPP in methods else ""
        )
        alone = bool(easy_connect) and not _CODE_SCHEMES.intersection(methods)
        text = easy_connect if alone else text
        claim_url = f"{self._request.portal}/claim/#{record.serial}" if self._request.portal else ""
        return LabelContent(
            product_name=self._request.product_name,
            serial=record.serial,
            device_id=record.device_id,
            setup_code=setup.pop,
            claim_code=code.printed,
            setup_text=text,
            qr=draw_qr(text),
            easy_connect=easy_connect,
            easy_connect_qr=draw_qr(easy_connect) if easy_connect and not alone else None,
            claim_url=claim_url,
            claim_qr=draw_qr(claim_url) if claim_url else None,
            wifi_key=access_key,
            wifi_qr=draw_qr(label.encode_wifi()) if access_key else None,
        )


@dataclass(frozen=True, slots=True)
class _Born:
    """A factory key and its certificate."""

    key: PrivateKey | None = field(repr=False)
    """None where it is in a secure element."""
    idevid: Certificate

    @property
    def identity(self) -> Literal["certificate", "secure_element"]:
        return "certificate" if self.key else "secure_element"


def _setup_label(name: str, setup: credentials.Sec2Credentials, methods: tuple[str, ...]) -> SetupLabel:
    """Return what the label pins: the scheme and the transport that the device opens."""
    security = SEC1 if _SEC1 in methods else SEC2
    by_radio = _SEC2_BLE in methods and _SEC2_SOFTAP not in methods
    transport = Transport.BLE if by_radio else Transport.SOFTAP
    return SetupLabel(name, setup.username, setup.pop, transport, security)


def _prepare(setup: _WorkerSetup) -> Callable[[Sequence[DeviceOrder]], list[MadeDevice]]:
    maker = _Maker(setup)
    return lambda orders: [maker.make(order) for order in orders]
