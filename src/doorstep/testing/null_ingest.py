"""An ingest worker that neither opens nor stores: what the rest of the path can carry, for comparison."""

from collections.abc import Sequence

from doorstep.ingest.batch import Batch
from doorstep.ingest.reader import Fetched
from doorstep.ingest.worker import serve
from doorstep.runtime.loop import run_loop
from doorstep.runtime.role import now_us
from doorstep.runtime.secrets import KeyFile
from doorstep.runtime.settings import Settings
from doorstep.runtime.state import StateFolder

__all__ = ["run"]


class _Nothing:
    """Takes everything for done."""

    async def open(self, messages: Sequence[Fetched]) -> Batch:  # noqa: ARG002 - nothing is opened
        return Batch(now_us())

    async def store(self, batch: Batch) -> None:
        """Store nothing."""

    async def forget(self) -> None:
        """Remember nothing."""


def run(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT."""
    state = StateFolder.open(settings.state)
    run_loop(serve(settings, state, KeyFile.open(state.key_file), _Nothing(), dict))
