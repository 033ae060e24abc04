"""What the platform does for a set-up: a registration token for each device, and the second signal."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

from doorstep.errors import RefusedError, SettingsError, UnavailableError
from doorstep.provisioner.provisioner import PlatformCheck

__all__ = ["Platform"]

REFUSED: Final = (401, 403)
MAX_TOKEN: Final = 256
MAX_SENTENCE: Final = 300


@dataclass(frozen=True, slots=True)
class Platform:
    """The portal's API with a customer's key."""

    url: str
    api_key: str = field(repr=False)

    def check(self, device_id: str) -> PlatformCheck:
        """Return the second signal: whether the platform shows the device as owned."""

        async def platform_saw_it() -> bool:
            try:
                async with self._client() as client:
                    answer = await client.get(f"/api/v1/devices/{device_id}")
                    _check_key(answer.status_code)
                    return answer.status_code == httpx.codes.OK and answer.json().get("owned") is True
            except (httpx.HTTPError, ValueError):
                return False  # this computer may still be on the device's Wi-Fi, without the internet

        return platform_saw_it

    async def get(self, path: str, query: Mapping[str, str]) -> Mapping[str, Any]:
        """Ask; raises `RefusedError` in the platform's words, `UnavailableError` where it does not answer."""
        return await self._exchange("GET", path, params=query)

    async def post(self, path: str, body: Mapping[str, str]) -> Mapping[str, Any]:
        """Send; raises as `get` does."""
        return await self._exchange("POST", path, json=body)

    async def token(self, alias: str) -> str:
        """Make a registration token; raises `UnavailableError` where the platform gives none."""
        try:
            async with self._client() as client:
                answer = await client.post("/api/v1/registration-tokens", json={"alias": alias})
            _check_key(answer.status_code)
            token = answer.json()["token"] if answer.status_code == httpx.codes.CREATED else None
        except (httpx.HTTPError, ValueError, KeyError, TypeError):
            token = None
        if not isinstance(token, str) or not 1 <= len(token) <= MAX_TOKEN:
            raise UnavailableError(
                "The platform gives no registration token.",
                next_step="Check --portal-url, and that this computer reaches it beside the device's Wi-Fi.",
            )
        return token

    async def _exchange(self, method: str, path: str, **content: Any) -> Mapping[str, Any]:
        try:
            async with self._client() as client:
                answer = await client.request(method, path, **content)
                said = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise UnavailableError(
                f"The platform at {self.url} does not answer ({type(error).__name__}).",
                next_step="Check --portal-url, and that this computer reaches it beside the device's Wi-Fi.",
            ) from None
        _check_key(answer.status_code)
        if not isinstance(said, dict) or not answer.is_success:
            detail = said.get("detail") if isinstance(said, dict) else None
            raise RefusedError(
                str(detail or f"The platform refused (status {answer.status_code}).")[:MAX_SENTENCE],
                next_step="Compare the serial with the device, and check whose account the key is.",
            )
        return said

    def _client(self) -> httpx.AsyncClient:
        headers = {"Authorization": f"Bearer {self.api_key}"}
        return httpx.AsyncClient(base_url=self.url, headers=headers, timeout=10)


def _check_key(status: int) -> None:
    """Tell a refused key from a device that is not there yet, which waiting may cure."""
    if status in REFUSED:
        raise SettingsError(
            f"The platform refused the API key (status {status}); a device that was set up stays so.",
            next_step="Make a key that may read devices and make tokens in the portal, or look there.",
        )
