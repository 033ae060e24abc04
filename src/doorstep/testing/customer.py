"""A customer in front of the portal: signs up, confirms the mail, asks for tokens, looks at readings.

It does over HTTP what a browser does, so it proves the same pages and the same API that people use.
"""

import email
import email.policy
import re
import time
from email.message import EmailMessage
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import httpx

from doorstep.errors import PeerError, UnavailableError

__all__ = ["Customer", "UnexpectedAnswer"]

_MAIL_WAIT_S: Final = 20.0
_HTTP_OK: Final = range(200, 300)
_SEPARATOR: Final = b"-" * 79 + b"\n"
"""Line with which Django's file backend ends a message."""


class UnexpectedAnswer(PeerError):
    """The portal answered something else than the step needs."""


class Customer:
    """One person with a browser session. ``mail`` is the folder in which their mail arrives."""

    def __init__(self, portal: str, address: str, password: str, mail: Path) -> None:
        self.address = address
        self._password = password
        self._mail = mail
        self._http = httpx.Client(base_url=portal, follow_redirects=True, timeout=30.0, trust_env=False)

    def __enter__(self) -> Self:
        """Return the customer."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the browser."""
        self._http.close()

    def sign_up(self, organisation: str) -> None:
        """Make an account, follow the link in the mail, and be logged in."""
        self._submit(
            "/accounts/signup/",
            email=self.address,
            password1=self._password,
            organisation=organisation,
        )
        self._submit(self._confirmation_path())
        self.log_in()

    def log_in(self) -> None:
        """Log in, unless this browser is."""
        if not self._is_logged_in():
            self._submit("/accounts/login/", login=self.address, password=self._password)
        if not self._is_logged_in():
            raise UnexpectedAnswer(f"{self.address} could not log in")

    def make_token(self, alias: str, code: str = "") -> str:
        """Ask for a registration token for one device."""
        token: str = self.post("/registration-tokens", {"alias": alias, "code": code})["token"]
        return token

    def device(self, device_id: str) -> dict[str, Any]:
        """Return one device as the API shows it."""
        return self.get(f"/devices/{device_id}")

    def owns(self, device_id: str) -> bool:
        """Whether the device is among this customer's."""
        answer = self._http.get(f"/api/v1/devices/{device_id}")
        return answer.status_code in _HTTP_OK and answer.json()["life"] == "owned"

    def readings(self, device_id: str, limit: int = 100) -> list[dict[str, Any]]:
        """Return the newest readings of one device."""
        rows: list[dict[str, Any]] = self.get(f"/devices/{device_id}/readings?limit={limit}")["points"]
        return rows

    def revoke(self, device_id: str, reason: str) -> dict[str, Any]:
        """Revoke one device, or ask how far its revocation is."""
        return self.post(f"/devices/{device_id}/revoke", {"reason": reason})

    def get(self, path: str) -> dict[str, Any]:
        """Return the JSON of an API address; raise UnexpectedAnswer for a problem."""
        return self._json(self._http.get(f"/api/v1{path}"))

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Send JSON to an API address; raise UnexpectedAnswer for a problem."""
        headers = {"X-CSRFToken": self._http.cookies.get("csrftoken") or ""}
        return self._json(self._http.post(f"/api/v1{path}", json=body, headers=headers))

    def letters(self) -> list[EmailMessage]:
        """Return the mail that came to this customer, oldest first."""
        files = sorted(self._mail.glob("*.log"), key=lambda path: path.stat().st_mtime_ns)
        chunks = [chunk for path in files for chunk in path.read_bytes().split(_SEPARATOR) if chunk.strip()]
        found = [_letter(chunk) for chunk in chunks]
        return [letter for letter in found if self.address in str(letter["to"])]

    def _is_logged_in(self) -> bool:
        """Whether the portal shows the devices page and not the log-in page."""
        return self._http.get("/devices/").url.path == "/devices/"

    def _submit(self, path: str, **fields: str) -> None:
        """Load a page and send its form back."""
        page = self._http.get(path)
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
        if token is None:
            raise UnexpectedAnswer(f"{page.url.path} answered {page.status_code} without a form")
        answer = self._http.post(page.url, data={"csrfmiddlewaretoken": token[1], **fields})
        if answer.status_code not in _HTTP_OK:
            raise UnexpectedAnswer(f"{page.url.path} answered {answer.status_code}")

    def _confirmation_path(self) -> str:
        """Wait for the confirmation mail and return the link in it."""
        deadline = time.monotonic() + _MAIL_WAIT_S
        while time.monotonic() < deadline:
            for letter in reversed(self.letters()):
                if link := re.search(r"https?://[^/\s]+(/accounts/confirm-email/\S+)", _text(letter)):
                    return link[1]
            time.sleep(0.1)
        raise UnavailableError(
            f"no confirmation mail came for {self.address}", next_step="Look at the role `jobs` and its log."
        )

    def _json(self, answer: httpx.Response) -> dict[str, Any]:
        if answer.status_code not in _HTTP_OK:
            raise UnexpectedAnswer(
                f"{answer.request.method} {answer.url.path}: {answer.status_code} {answer.text[:200]}"
            )
        body: dict[str, Any] = answer.json()
        return body


def _letter(raw: bytes) -> EmailMessage:
    letter = email.message_from_bytes(raw, policy=email.policy.default)
    if not isinstance(letter, EmailMessage):
        raise UnexpectedAnswer("a file in the mail folder is not mail")
    return letter


def _text(letter: EmailMessage) -> str:
    body = letter.get_body(("plain",))
    return "" if body is None else str(body.get_content())
