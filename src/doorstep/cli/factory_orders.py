"""Which devices the options of ``doorstep factory batch`` ask for."""

from dataclasses import dataclass
from pathlib import Path

from doorstep.errors import MisuseError
from doorstep.factory import orders
from doorstep.factory.orders import Orders
from doorstep.identity.manifest import MANIFEST_CAP

__all__ = ["Wanted"]

_ONE_SOURCE = "Give --count N, --macs FILE.csv, or --manifest FILE.json with --signers FILE.pem."


@dataclass(frozen=True, slots=True)
class Wanted:
    """The options, as they were given."""

    count: int | None
    macs: Path | None
    manifest: Path | None
    signers: Path | None

    def orders(self, prefix: str) -> Orders:
        """Return the devices to make; raise `MisuseError` for options that do not go together."""
        if self.macs is not None and self.manifest is not None:
            raise MisuseError("devices come from one file", next_step=_ONE_SOURCE)
        if (self.manifest is None) != (self.signers is None):
            raise MisuseError("a manifest is worth what its signers are", next_step=_ONE_SOURCE)
        if self.manifest is not None and self.signers is not None:
            return orders.read_elements(
                _content(self.manifest, "--manifest"), _content(self.signers, "--signers"), prefix
            )
        if self.macs is not None:
            return orders.read_rows(_content(self.macs, "--macs"), prefix)
        if self.count is None:
            raise MisuseError("how many devices?", next_step=_ONE_SOURCE)
        return orders.numbered(prefix, self.count)

    def check_count(self, devices: int) -> None:
        """Raise `MisuseError` where the count that was given is another one."""
        if self.count is not None and self.count != devices:
            raise MisuseError(
                f"--count says {self.count} and the file has {devices} good rows",
                next_step="Leave --count out, or mend the file.",
            )


def _content(path: Path, option: str) -> bytes:
    """Read a file, and one byte more than any reader takes."""
    try:
        with path.open("rb") as file:
            return file.read(MANIFEST_CAP + 1)
    except OSError as error:
        raise MisuseError(
            f"{path} cannot be read: {error.strerror}", next_step=f"Check the name after {option}."
        ) from error
