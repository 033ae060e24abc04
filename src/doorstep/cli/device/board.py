"""What a board's folder and files say: its identity, and what comes next."""

from datetime import UTC, datetime
from pathlib import Path

from doorstep.device.store import Operational, Store
from doorstep.errors import MisuseError
from doorstep.identity.provisioning import Provisioning
from doorstep.onboarding.lock import LockState

__all__ = ["identity_of", "next_step_of", "read_file"]


def read_file(path: Path, what: str, cap: int) -> bytes:
    """Return a file's first ``cap`` bytes and one more; raises MisuseError where it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(cap + 1)
    except OSError as error:
        raise MisuseError(
            f"the {what} file {path} can't be read: {error.strerror}", next_step="Check its name."
        ) from error


def identity_of(store: Store) -> Provisioning:
    """Return who this board is; raises MisuseError for an empty folder."""
    made = store.identity()
    if made is None:
        raise MisuseError(
            f"the folder {store.folder} holds no device",
            next_step="Run: doorstep device run --provisioning FILE --state DIR",
        )
    return made


def next_step_of(store: Store, held: Operational | None) -> str:
    """Say what a person does next with this board."""
    if store.network() is None and store.lock().state is not LockState.OPEN:
        return "Have its owner allow set-up again in the portal, then start it and set it up."
    if store.network() is None:
        return "Start it, and set up its Wi-Fi with the code on the label."
    if store.ticket() is not None:
        return "Start it: it registers itself with the token it holds."
    if held is None:
        return "Make a registration token in the portal and set the device up again."
    if held.certificate is not None and held.certificate.not_after <= datetime.now(UTC):
        return "Start it: it asks for a new certificate by itself."
    return "None: it works by itself once started."
