"""What the platform does for a set-up: a registration token for each device, and the second signal."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from doorstep.client import Client, ProblemAnswer, Unreachable
from doorstep.errors import RefusedError, SettingsError, UnavailableError
from doorstep.provisioner.provisioner import PlatformCheck

__all__ = ["Platform"]

REFUSED: Final = (401, 403)
MAX_TOKEN: Final = 256
MAX_SENTENCE: Final = 300

_Answer = TypeVar("_Answer")


@dataclass(frozen=True, slots=True)
class Platform:
    """The portal's API with a customer's key."""

    url: str
    api_key: str = field(repr=False)

    def check(self, device_id: str) -> PlatformCheck:
        """Return the second signal: whether the platform shows the device as owned."""

        async def platform_saw_it() -> bool:
            try:
                found = await self._ask(lambda client: client.get_device(device_id))
            except (Unreachable, ProblemAnswer):
                return False  # this computer may still be on the device's Wi-Fi, without the internet
            return found["owned"]

        return platform_saw_it

    async def get(self, path: str, query: Mapping[str, str]) -> Mapping[str, Any]:
        """Ask; raises `RefusedError` in the platform's words, `UnavailableError` where it does not answer."""
        return await self._exchange(lambda client: client.call("GET", path, query=query))

    async def post(self, path: str, body: Mapping[str, str]) -> Mapping[str, Any]:
        """Send; raises as `get` does."""
        return await self._exchange(lambda client: client.call("POST", path, body=body))

    async def token(self, alias: str) -> str:
        """Make a registration token; raises `UnavailableError` where the platform gives none."""
        try:
            made = await self._ask(lambda client: client.make_registration_token({"alias": alias}))
            token = made["token"]
        except (Unreachable, ProblemAnswer, KeyError, TypeError):
            token = ""
        if not 1 <= len(token) <= MAX_TOKEN:
            raise UnavailableError(
                "The platform gives no registration token.",
                next_step="Check --portal-url, and that this computer reaches it beside the device's Wi-Fi.",
            )
        return token

    async def _exchange(self, act: Callable[[Client], Any]) -> Mapping[str, Any]:
        try:
            said = await self._ask(act)
        except Unreachable as error:
            raise UnavailableError(
                f"The platform at {self.url} does not answer.",
                next_step="Check --portal-url, and that this computer reaches it beside the device's Wi-Fi.",
            ) from error
        except ProblemAnswer as error:
            raise RefusedError(
                error.message[:MAX_SENTENCE],
                next_step="Compare the serial with the device, and check whose account the key is.",
            ) from error
        if not isinstance(said, dict):
            raise UnavailableError(
                f"Something else than a platform answers at {self.url}.", next_step="Check --portal-url."
            )
        return said

    async def _ask(self, act: Callable[[Client], _Answer]) -> _Answer:
        """Act beside the event loop; raise SettingsError for a refused key, and what the client raises."""

        def acting() -> _Answer:
            with Client(self.url, self.api_key, attempts=1) as client:
                return act(client)

        try:
            return await asyncio.to_thread(acting)
        except ProblemAnswer as error:
            _check_key(error.status)
            raise


def _check_key(status: int) -> None:
    """Tell a refused key from a device that is not there yet, which waiting may cure."""
    if status in REFUSED:
        raise SettingsError(
            f"The platform refused the API key (status {status}); a device that was set up stays so.",
            next_step="Make a key that may read devices and make tokens in the portal, or look there.",
        )
