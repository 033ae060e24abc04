"""Which requests are watched, and what the trail calls them."""

from collections.abc import Callable
from typing import Any, Final, Protocol, TypeVar

from django.http import HttpRequest
from django.urls import resolve

from doorstep.server.accounts.models import Organisation
from doorstep.server.audit.watching import Scene, looked_at, watched

__all__ = ["Acts", "scene_of", "see_page", "see_route"]

Answer = TypeVar("Answer")

_SAFE: Final = ("GET", "HEAD", "OPTIONS")
_ONLY_READS: Final = frozenset({"ledger-verify", "set-up-qr"})
"""Forms that change nothing and may take seconds: they need no transaction."""


class Acts(Protocol):
    """A principal of the portal or a caller of the REST API."""

    @property
    def organisation(self) -> Organisation:
        """For whom they act."""

    @property
    def actor(self) -> str:
        """Who they are, as the ledger names them."""


def scene_of(request: HttpRequest, somebody: Acts, action: str, way: str, device_id: str = "") -> Scene:
    """Return who acts in a request, and from where."""
    address = str(request.META.get("REMOTE_ADDR", ""))[:45]
    return Scene(somebody.actor, somebody.organisation, action, way, address, device_id)


def see_page(
    request: HttpRequest, somebody: Acts, values: dict[str, Any], act: Callable[[], Answer]
) -> Answer:
    """Run a page of the portal under the eyes of the trail."""
    name = resolve(request.path_info).url_name or ""
    scene = scene_of(request, somebody, name, "portal", str(values.get("device_id", "")))
    return act() if name in _ONLY_READS else _see(request, scene, act)


def see_route(
    request: HttpRequest, somebody: Acts, name: str, device_id: str, act: Callable[[], Answer]
) -> Answer:
    """Run a route of the REST API under the eyes of the trail."""
    return _see(request, scene_of(request, somebody, name, "rest", device_id), act)


def _see(request: HttpRequest, scene: Scene, act: Callable[[], Answer]) -> Answer:
    return looked_at(scene, act) if request.method in _SAFE else watched(scene, act)
