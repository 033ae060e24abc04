"""Files that the platform hands out, as downloads."""

from collections.abc import AsyncIterator, Iterator

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

from doorstep.server.custody.changing import CaseFile

__all__ = ["attached", "handed_out", "streamed"]


def attached(content: str | bytes, media: str, name: str) -> HttpResponse:
    """Answer with a file of this name."""
    answer = HttpResponse(content, content_type=media)
    _name(answer, name)
    return answer


def streamed(
    request: HttpRequest, pieces: Iterator[str] | Iterator[bytes], media: str, name: str
) -> StreamingHttpResponse:
    """Answer with a file of this name, however long; its pieces are made while they are sent."""
    stream = _awaited(pieces) if isinstance(request, ASGIRequest) else pieces
    answer = StreamingHttpResponse(stream, content_type=media)
    _name(answer, name)
    return answer


def handed_out(kept: CaseFile) -> HttpResponse:
    """Answer with a paper of a case: a stranger sent it, so no browser may run it."""
    answer = attached(bytes(kept.content), kept.kind, kept.name.encode("ascii", "replace").decode())
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return answer


def _name(answer: HttpResponseBase, name: str) -> None:
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'


async def _awaited(pieces: Iterator[str] | Iterator[bytes]) -> AsyncIterator[str | bytes]:
    """Take one piece after the other from the thread that reads the database."""
    take = sync_to_async(lambda: next(pieces, None))
    while (piece := await take()) is not None:
        yield piece
