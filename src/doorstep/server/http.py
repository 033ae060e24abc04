"""HTTP/1.1 for our servers: uvicorn's protocol over httptools, with the cap that it lacks."""

from typing import Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

__all__ = ["UNFINISHED_CAP", "BoundedHttp"]

UNFINISHED_CAP: Final = 16 * 1024
"""Bytes of a head, a chunk's frame or trailers that have arrived and are not complete yet."""


class BoundedHttp(HttpToolsProtocol):
    """One connection, which ends when its peer sends on and on without ever finishing a part.

    Bodies are for the applications to bound: each knows how long its own may be.
    """

    _unfinished = 0

    def data_received(self, data: bytes) -> None:
        """Parse what arrived; refuse with 400 and close when it leads to nothing."""
        self._unfinished += len(data)
        super().data_received(data)
        if self._unfinished > UNFINISHED_CAP and not self.transport.is_closing():
            self.send_400_response("The request's head has no end.")

    def on_headers_complete(self) -> None:
        """Begin the request, whose head is complete."""
        self._unfinished = 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Take a piece of the body."""
        self._unfinished = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """End the request."""
        self._unfinished = 0
        super().on_message_complete()
