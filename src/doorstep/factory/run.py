"""Runs a batch: make, stage, record, publish, fifty devices at a time.

The platform knows a device before anything of it is published, so no label exists for a device that nobody
knows. Whatever stops the run, what was published by then is complete, with its labels.
"""

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic

from doorstep.errors import DoorstepError, UnavailableError
from doorstep.factory.batch import BatchRequest, DeviceRecord, MadeDevice, make_devices
from doorstep.factory.folder import REMAINING, BatchFolder
from doorstep.identity.assurance import IdentityMethod
from doorstep.identity.ids import DeviceIdTaken
from doorstep.runtime.authority import Authority

__all__ = ["BatchResult", "BatchStopped", "run_batch"]


@dataclass(frozen=True, slots=True)
class BatchResult:
    """What was made."""

    batch_id: str
    product: str
    made: int
    asked: int
    seconds: float
    folder: str

    @property
    def devices_per_s(self) -> float:
        """Speed of the whole path, starting the workers included."""
        return self.made / self.seconds


class BatchStopped(UnavailableError):
    """A batch ended early; ``result`` tells what is complete and ``remaining`` which serials are not made."""

    def __init__(self, reason: str, result: BatchResult, remaining: Sequence[str], next_step: str) -> None:
        """Say why, and how far it came."""
        done = f"{result.made} of {result.asked} devices are made"
        rest = f" and complete in {result.folder}, the rest, from serial {remaining[0]} on, is not"
        super().__init__(f"{reason}; {done}{rest if result.made else ''}", next_step=next_step)
        self.result = result
        self.remaining = tuple(remaining)


def run_batch(  # noqa: PLR0913 - the seam where the command wires its parts together
    request: BatchRequest,
    authority: Authority,
    out: Path,
    record: Callable[[Sequence[DeviceRecord]], None],
    progress: Callable[[int], None],
    *,
    workers: int | None = None,
) -> BatchResult:
    """Make every device of ``request`` in the folder ``out``.

    ``record`` stores devices durably, all of those it is given or none, and raises `DeviceIdTaken` for an id
    that another device has, which is then drawn again; ``progress`` hears how many more are
    done. Raises `BatchStopped` when the disk, a worker or ``record`` refuses.
    """
    started = monotonic()
    folder = BatchFolder.create(
        out, title=f"Labels of batch {request.batch_id}", devices=len(request.devices)
    )

    def result() -> BatchResult:
        seconds = monotonic() - started
        return BatchResult(
            request.batch_id, request.product, folder.made, len(request.devices), seconds, str(out)
        )

    def remake(devices: Sequence[MadeDevice]) -> list[MadeDevice]:
        serials = {one.record.serial for one in devices}
        orders = tuple(order for order in request.devices if order.serial in serials)
        chunks = make_devices(replace(request, devices=orders), authority, workers=1)
        return [one for chunk in chunks for one in chunk]

    try:
        with closing(make_devices(request, authority, workers=workers)) as making:
            for devices in making:
                folder.publish(_recorded(devices, folder, record, remake))
                progress(len(devices))
    except (OSError, DoorstepError) as error:
        _close(folder, request, result())
        raise _stopped(error, request, result()) from error
    except BaseException:
        _close(folder, request, result())
        raise
    _close(folder, request, result())
    return result()


def _recorded(
    devices: Sequence[MadeDevice],
    folder: BatchFolder,
    record: Callable[[Sequence[DeviceRecord]], None],
    remake: Callable[[Sequence[MadeDevice]], Sequence[MadeDevice]],
) -> Sequence[MadeDevice]:
    """Stage and record devices; where a random id is taken already, make them once more."""
    folder.stage(devices)
    try:
        record([device.record for device in devices])
    except DeviceIdTaken:
        folder.discard_staged()
        devices = remake(devices)
        folder.stage(devices)
        record([device.record for device in devices])
    return devices


def _close(folder: BatchFolder, request: BatchRequest, result: BatchResult) -> None:
    folder.close(
        {
            "batch": result.batch_id,
            "product": result.product,
            "product_name": request.product_name,
            "made_at": request.now.isoformat(),
            "asked": result.asked,
            "made": result.made,
            "seconds": round(result.seconds, 3),
        },
        request.devices[result.made :],
    )


def _stopped(error: OSError | DoorstepError, request: BatchRequest, result: BatchResult) -> BatchStopped:
    remaining = [order.serial for order in request.devices[result.made :]]
    if isinstance(error, OSError):
        reason, advice = f"the files cannot be written: {error.strerror}", "Make room."
    else:
        reason, advice = error.message, error.next_step
    if result.made:
        again = (
            "the same manifest: what is made is refused by its entry"
            if request.identity is IdentityMethod.SECURE_ELEMENT
            else f"--macs {result.folder}/{REMAINING}"
        )
        advice += f" Then make a new batch with {again}"
    return BatchStopped(reason, result, remaining, advice.strip())
