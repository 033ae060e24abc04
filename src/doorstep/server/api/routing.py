"""What every route of the API has, so that no route can lack it.

Every route checks the permissions that its description names, every POST takes an idempotency key, every
operation names the problems that any request can meet, and the description says of each problem that it is a
problem document.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, Final, cast

from django.http import HttpRequest
from ninja import NinjaAPI, Status
from ninja import Router as NinjaRouter
from ninja.openapi.schema import OpenAPISchema
from ninja.params.functions import Header
from ninja.utils import contribute_operation_args

from doorstep.server.accounts.permissions import Permission
from doorstep.server.api.auth import caller_of
from doorstep.server.api.idempotency import KEY_CAP, fingerprint, once
from doorstep.server.api.problems import PROBLEM_MEDIA, Problem
from doorstep.server.audit.requests import see_route
from doorstep.server.fleet.access import require

__all__ = ["Api", "Router", "needs", "sends"]

_EVERYWHERE: Final = {400: Problem, 401: Problem, 403: Problem, 422: Problem, 429: Problem, 503: Problem}
"""Refusals that any request can meet."""
_SCOPES: Final = "x-scopes"
_OK: Final = 200
_FIRST_PROBLEM: Final = 400
_MULTIPART: Final = "multipart/form-data"
_KEY_HELP: Final = (
    "A name for this request, for example a UUID. Sent again with the same name, within seven days, "
    "the request gets its first answer and does nothing twice."
)


def needs(*permissions: Permission) -> dict[str, Any]:
    """Open a route to whoever has any one of these permissions, and say so: ``openapi_extra=needs(…)``."""
    return {_SCOPES: [str(one) for one in permissions]}


def sends(*media: str) -> dict[str, Any]:
    """Say that a route answers with a file of one of these media types."""
    return {"responses": {_OK: {"content": {one: {"schema": _schema_of(one)} for one in media}}}}


def _schema_of(media: str) -> dict[str, str]:
    return {"type": "string"} | ({} if media.startswith("text/") else {"format": "binary"})


class Router(NinjaRouter):
    """A router whose routes behave like all the others."""

    def add_api_operation(
        self, path: str, methods: list[str], view_func: Callable[..., Any], **options: Any
    ) -> None:
        """Add a route with what each route has; raise TypeError for one that says no scopes."""
        scopes = (options.get("openapi_extra") or {}).get(_SCOPES)
        if not scopes:
            raise TypeError(f"{path} lacks openapi_extra=needs(…)")
        told = options["response"]
        answers = dict(told) if isinstance(told, dict) else {_OK: told}
        missing = {404: Problem} if "{" in path else {}
        conflicts = {} if methods == ["GET"] else {409: Problem}
        options["response"] = answers | _EVERYWHERE | missing | conflicts
        view = _idempotent(view_func) if methods == ["POST"] else view_func
        guarded = _guarded(view, options["operation_id"], tuple(map(Permission, scopes)))
        super().add_api_operation(path, methods, guarded, **options)


class _Description(OpenAPISchema):
    def add_schema_definitions(self, definitions: dict[str, Any]) -> None:
        for name, shape in definitions.items():
            if self.schemas.setdefault(name, shape) != shape:
                raise TypeError(f"two shapes of the API are called {name}: a client would know one of them")


class Api(NinjaAPI):
    """The API, which takes only routers that behave alike, and describes problems as they are sent."""

    def add_router(self, prefix: str, router: NinjaRouter | str, **options: Any) -> None:
        """Add a noun's routes."""
        if not isinstance(router, Router):
            raise TypeError(f"{router} is not a {Router.__module__}.Router")
        super().add_router(prefix, router, **options)

    def get_openapi_schema(
        self, *, path_prefix: str | None = None, path_params: dict[str, Any] | None = None
    ) -> OpenAPISchema:
        """Describe the API; raise TypeError when two of its shapes have one name."""
        described = _Description(
            self, self.get_root_path(path_params or {}) if path_prefix is None else path_prefix
        )
        for route in described["paths"].values():
            for operation in route.values():
                _describe(operation)
        return described


def _describe(operation: dict[str, Any]) -> None:
    for media, body in operation.get("requestBody", {}).get("content", {}).items():
        if media == _MULTIPART:
            body["schema"]["additionalProperties"] = False
    for status, answer in operation["responses"].items():
        answer["headers"] = dict(_HEADERS)
        if len(answer.get("content", ())) > 1:
            del answer["content"]["application/json"]  # a route that answers with a file
        if status >= _FIRST_PROBLEM:
            answer["content"] = {PROBLEM_MEDIA: next(iter(answer["content"].values()))}
        if status == 429:  # noqa: PLR2004 - RFC 6585 section 4
            answer["headers"]["Retry-After"] = _header("Seconds until the allowance is whole again.")


def _header(description: str) -> dict[str, Any]:
    return {"description": description, "schema": {"type": "string"}}


_HEADERS: Final = {
    "RateLimit-Policy": _header("How many requests this key or person may make in how many seconds."),
    "RateLimit": _header("How many are left (r), and in how many seconds all are there again (t)."),
}


def _guarded(view: Callable[..., Any], name: str, scopes: tuple[Permission, ...]) -> Callable[..., Any]:
    """Keep out who has none of the scopes, and let the audit trail watch what the others do.

    The trail notes what a route changes, and whose device the maker's staff looks at.
    """

    @wraps(view)
    def answer(request: HttpRequest, **values: Any) -> Any:
        caller = caller_of(request)
        require(caller, *scopes)
        device_id = str(values.get("device_id", ""))
        return see_route(request, caller, name, device_id, lambda: view(request, **values))

    return answer


def _idempotent(view: Callable[..., Any]) -> Callable[..., Any]:
    """Let a view answer a repeat with its first answer."""

    @wraps(view)
    def answer(request: HttpRequest, *, idempotency_key: str | None = None, **values: Any) -> Any:
        if idempotency_key is None:
            return view(request, **values)
        asked = fingerprint(request.path, values)
        status, value = once(
            caller_of(request), idempotency_key, asked, lambda: _flat(view(request, **values))
        )
        return Status(status, value)

    source = Header(None, alias="Idempotency-Key", min_length=1, max_length=KEY_CAP, description=_KEY_HELP)
    contribute_operation_args(answer, "idempotency_key", cast("type[Any]", str | None), source)
    return answer


def _flat(outcome: Any) -> tuple[int, Any]:
    if isinstance(outcome, Status):
        return outcome.status_code, outcome.value
    return _OK, outcome
