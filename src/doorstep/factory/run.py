"""Runs a batch: make, stage, record, publish, a hundred devices at a time.

The platform knows a device before anything of it is published, so no label exists for a device that nobody
knows. Whatever stops the run, what was published by then is complete, with its labels.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from doorstep.errors import DoorstepError, UnavailableError
from doorstep.factory.batch import BatchRequest, DeviceRecord, make_devices
from doorstep.factory.folder import REMAINING, BatchFolder
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
        super().__init__(
            f"{reason}; {result.made} of {result.asked} devices are made and complete in {result.folder}, "
            f"{len(remaining)} remain, from serial {remaining[0]} on",
            next_step=next_step,
        )
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

    ``record`` stores devices durably, all of those it is given or none; ``progress`` hears how many more are
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

    try:
        for devices in make_devices(request, authority, workers=workers):
            folder.stage(devices)
            record([device.record for device in devices])
            folder.publish(devices)
            progress(len(devices))
    except (OSError, DoorstepError) as error:
        _close(folder, request, result())
        raise _stopped(error, request, result()) from error
    except BaseException:
        _close(folder, request, result())
        raise
    _close(folder, request, result())
    return result()


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
    again = f"then make a new batch with --macs {result.folder}/{REMAINING}"
    if isinstance(error, OSError):
        return BatchStopped(
            f"the files cannot be written: {error.strerror}", result, remaining, f"make room, {again}"
        )
    return BatchStopped(error.message, result, remaining, f"{error.next_step or 'mend it'}; {again}")
