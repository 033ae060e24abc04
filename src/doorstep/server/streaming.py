"""Files that are sent piece by piece, however long they are."""

from collections.abc import AsyncIterator, Iterator

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, StreamingHttpResponse

__all__ = ["streamed"]


def streamed(
    request: HttpRequest, pieces: Iterator[str] | Iterator[bytes], media: str, name: str
) -> StreamingHttpResponse:
    """Answer with a file of this name; its pieces are made while they are sent."""
    stream = _awaited(pieces) if isinstance(request, ASGIRequest) else pieces
    answer = StreamingHttpResponse(stream, content_type=media)
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


async def _awaited(pieces: Iterator[str] | Iterator[bytes]) -> AsyncIterator[str | bytes]:
    """Take one piece after the other from the thread that reads the database."""
    take = sync_to_async(lambda: next(pieces, None))
    while (piece := await take()) is not None:
        yield piece
