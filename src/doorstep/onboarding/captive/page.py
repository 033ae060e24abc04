"""The board's page, without I/O: requests in, answers and wishes out.

Order of checks: a name that is not ours (every name leads here, and a stranger's page may lead here on
purpose), another site's form, one person at a time, the form's key, its fields.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from doorstep.errors import DoorstepError, IllegalTransition, SettingsError
from doorstep.onboarding.captive import pages
from doorstep.onboarding.captive.api import API_PATH, API_TYPE, portal_state
from doorstep.onboarding.captive.exchange import HTML, Air, PageAnswer, PageFacts, PageRequest
from doorstep.onboarding.captive.forms import FORM_TYPE, decode_form, decode_ssid
from doorstep.onboarding.captive.markup import Frame, address, policy
from doorstep.onboarding.captive.pages import REFRESH_S, PasswordForm
from doorstep.onboarding.captive.probes import is_probe
from doorstep.onboarding.captive.script_page import script_page
from doorstep.onboarding.captive.sealed_page import sealed_page
from doorstep.onboarding.captive.texts import LANGUAGES, Texts, choose_language
from doorstep.onboarding.captive.visit import Visit
from doorstep.onboarding.failures import TooManyGuesses, WrongCode
from doorstep.onboarding.joining import Joining, JoinState
from doorstep.onboarding.lock import LockState
from doorstep.onboarding.network import NetworkCredentials
from doorstep.onboarding.order import RegistrationOrder
from doorstep.onboarding.protocomm.device import JoinWanted, ScanWanted
from doorstep.onboarding.steps import STEP_OF_STAGE, Step
from doorstep.wire.provisioning.scan import AuthMode, ScanEntry, ScanStart

__all__ = ["FORMS", "CaptivePage"]

FORMS: Final = frozenset({"/scan", "/join", "/order", "/again"})
"""Where forms are sent to."""

SCRIPT: Final = "/web/board.js"
SEALED: Final = "/sealed"
"""Where the portal's link leads; what it brings is encrypted, so every air may carry it."""
SEALED_SCRIPT: Final = "/web/bring.js"
MAX_SHOWN: Final = 20
"""Networks on the list: the strongest."""
FRESH_S: Final = 30.0
"""Seconds for which a list of networks is shown without listening again."""
SCAN: Final = ScanStart(blocking=False)
READABLE_WHEN_LOCKED: Final = ("/status", SEALED)
"""How the last set-up ended, and the page that brings the owner's sealed release."""
UNDECIDED: Final = frozenset({Step.TRYING, Step.REGISTERING, Step.NO_SERVER, Step.NO_INTERNET})


class CaptivePage:
    """One board's page; it shares the attempt to join with the board's other doors."""

    def __init__(self, facts: PageFacts, joining: Joining, rng: Callable[[int], bytes]) -> None:
        """``rng`` returns that many unpredictable bytes."""
        self._facts = facts
        self._joining = joining
        self._rng = rng
        self._networks: tuple[ScanEntry, ...] | None = None
        self._scanned = float("-inf")
        self._scanning = False
        self._ordered = False
        self._visit: Visit | None = None
        self._reads = {"/": self._home, "/network": self._network, "/status": self._status}
        self._writes = {
            "/scan": self._scan,
            "/join": self._join,
            "/order": self._order,
            "/again": self._again,
        }

    def receive(self, request: PageRequest, now: float) -> PageAnswer:
        """Answer one request; ``now`` is seconds on a clock that never goes back."""
        answer = _answer_anybody(request)
        if answer is not None:
            return answer
        visit = self._enter(request, now)
        if visit is None:
            texts = LANGUAGES[choose_language(request.languages)]
            frame = Frame(texts, self._facts.name, "/")
            return self._html(pages.message_page(frame, texts.busy_title, texts.busy_text), 409)
        readable = request.method != "POST" and request.path in READABLE_WHEN_LOCKED
        if self._joining.lock is not LockState.OPEN and not readable:
            return self._refuse_locked(visit)
        try:
            return self._route(request, visit, now)
        except DoorstepError:
            return PageAnswer(400, b"The form is malformed. Go back and fill it in again.")

    def scan_begun(self) -> None:
        """Note that the board listens."""
        self._scanning = True

    def scanned(self, networks: Sequence[ScanEntry] | None, now: float) -> None:
        """Take what a scan heard, `None` if it failed; a network of several access points stands once."""
        self._scanning, self._scanned = False, now
        strongest: dict[bytes, ScanEntry] = {}
        for entry in sorted(networks or (), key=lambda heard: heard.rssi, reverse=True):
            if entry.ssid:
                strongest.setdefault(entry.ssid, entry)
        self._networks = tuple(strongest.values())[:MAX_SHOWN]

    def _enter(self, request: PageRequest, now: float) -> Visit | None:
        """Return the visit of this phone; `None` while it is somebody else's turn."""
        visit = self._visit
        if visit is None or not visit.holds(now):
            visit = Visit.begin(request.peer, choose_language(request.languages), self._rng, now)
        elif visit.peer != request.peer:
            return None
        visit.seen, self._visit = now, visit
        return visit

    def _route(self, request: PageRequest, visit: Visit, now: float) -> PageAnswer:
        if request.method == "POST":
            return self._submit(request, visit, now)
        show = self._reads.get(request.path)
        if show is None and request.path != SEALED:
            texts = LANGUAGES[visit.language]
            page = pages.message_page(self._frame(visit, "/"), texts.error_title, texts.not_found)
            return self._html(page, 404)
        values = decode_form(request.query.encode("latin-1"))
        language = values.get("lang", b"").decode("latin-1")
        if language in LANGUAGES:
            visit.language = language
        if show is None:
            return self._html(sealed_page(self._frame(visit, SEALED, SEALED_SCRIPT)), scripts=True)
        if self._facts.air is Air.CODE:
            return self._html(script_page(self._frame(visit, "/"), request.root, self._facts))
        return show(visit, values, now)

    def _submit(self, request: PageRequest, visit: Visit, now: float) -> PageAnswer:
        write = self._writes.get(request.path)
        if write is None:
            return PageAnswer(404, b"There is no such form on this device.")
        if self._facts.air is Air.CODE:
            return PageAnswer(403, b"This Wi-Fi is not encrypted: set up this device with its code.")
        if request.content_type.partition(";")[0].strip().lower() != FORM_TYPE:
            return PageAnswer(400, b"The form is not encoded as one.")
        values = decode_form(request.body)
        if not visit.owns(values.get("key", b"")):
            texts = LANGUAGES[visit.language]
            page = pages.message_page(self._frame(visit, "/"), texts.error_title, texts.stale)
            return self._html(page, 403)
        return write(visit, values, now)

    def _refuse_locked(self, visit: Visit) -> PageAnswer:
        """Say what brings the set-up back; how the last one ended may still be read."""
        texts = LANGUAGES[visit.language]
        waits = self._joining.lock is LockState.RELEASED
        said = texts.waits_for_hand if waits else texts.locked_text
        return self._html(pages.message_page(self._frame(visit, "/"), texts.locked_title, said), 403)

    def _home(self, visit: Visit, values: dict[str, bytes], now: float) -> PageAnswer:
        if "token" in values:
            return self._prefill(visit, values)
        staying = "stay" in values and self._joining.state is JoinState.FAILED
        if self._joining.state not in (JoinState.IDLE, JoinState.STAGED) and not staying:
            return _redirect(303, "/status")
        if self._scanning or self._networks is None:
            wishes = () if self._scanning else (ScanWanted(SCAN),)
            page = pages.searching_page(self._frame(visit, "/"))
            return replace(self._html(page, refresh="/" if not staying else "/?stay=1"), wishes=wishes)
        return self._choose(visit, "", now)

    def _prefill(self, visit: Visit, values: dict[str, bytes]) -> PageAnswer:
        """Keep a link's token and take it out of the address bar."""
        order = self._read_order(values)
        if order is None:
            return self._choose(visit, LANGUAGES[visit.language].bad_token, status=422)
        visit.order = order
        return _redirect(303, "/")

    def _choose(self, visit: Visit, trouble: str, now: float | None = None, status: int = 200) -> PageAnswer:
        stale = now is not None and now - self._scanned > FRESH_S and not self._scanning
        page = pages.choose_page(
            self._frame(visit, "/?stay=1"),
            self._networks or (),
            key=visit.key,
            trouble=trouble,
            warning=self._warning(visit),
        )
        return replace(self._html(page, status), wishes=(ScanWanted(SCAN),) if stale else ())

    def _network(self, visit: Visit, values: dict[str, bytes], now: float) -> PageAnswer:
        del now
        ssid = values.get("name") or decode_ssid(values.get("ssid", b""))
        if not ssid:
            return self._choose(visit, LANGUAGES[visit.language].no_choice, status=422)
        return self._ask_password(visit, PasswordForm(visit.key, ssid))

    def _ask_password(self, visit: Visit, form: PasswordForm, status: int = 200) -> PageAnswer:
        heard = next((entry for entry in self._networks or () if entry.ssid == form.ssid), None)
        form = replace(
            form,
            is_open=heard is not None and heard.auth is AuthMode.OPEN,
            asks_code=self._facts.air is Air.TLS,
            server=self._facts.server,
            order=visit.order,
            warning=self._warning(visit),
        )
        frame = self._frame(visit, address("/network", ssid=form.ssid.hex()))
        return self._html(pages.password_page(frame, form), status)

    def _join(self, visit: Visit, values: dict[str, bytes], now: float) -> PageAnswer:
        ssid, password = decode_ssid(values.get("ssid", b"")), values.get("password", b"")
        form = PasswordForm(visit.key, ssid)
        if "view" in values:
            typed, visible = password.decode("utf-8", "replace"), values["view"] == b"show"
            return self._ask_password(visit, replace(form, password=typed, visible=visible))
        trouble = self._take_order(visit, values) or self._judge_code(visit, values, now)
        if trouble:
            return self._ask_password(visit, replace(form, trouble=trouble), 422)
        try:
            network = NetworkCredentials(ssid, password)
        except SettingsError:
            texts = LANGUAGES[visit.language]
            return self._ask_password(visit, replace(form, trouble=texts.bad_password), 422)
        return self._begin(visit, network)

    def _begin(self, visit: Visit, network: NetworkCredentials) -> PageAnswer:
        """Start trying; while another attempt runs, its progress is the answer."""
        try:
            self._joining.stage(network)
            self._joining.apply()
        except IllegalTransition:
            return _redirect(303, "/status")
        if visit.order is not None:
            self._joining.bring(visit.order)
            visit.order = None
            self._ordered = True
        return replace(_redirect(303, "/status"), wishes=(JoinWanted(network),))

    def _take_order(self, visit: Visit, values: dict[str, bytes]) -> str:
        """Keep a typed token for this attempt; returns what is wrong with it."""
        if not values.get("token"):
            return ""
        visit.order = self._read_order(values)
        return LANGUAGES[visit.language].bad_token if visit.order is None else ""

    def _read_order(self, values: dict[str, bytes]) -> RegistrationOrder | None:
        server = values.get("server") or self._facts.server.encode()
        try:
            return RegistrationOrder(values.get("token", b"").strip(), server.decode("ascii").strip())
        except (SettingsError, UnicodeDecodeError):
            return None

    def _judge_code(self, visit: Visit, values: dict[str, bytes], now: float) -> str:
        """Return what is wrong with the set-up code, where the air asks for one."""
        if self._facts.check_code is None:
            return ""
        texts = LANGUAGES[visit.language]
        try:
            self._facts.check_code(values.get("code", b""), now)
        except WrongCode:
            return texts.wrong_code
        except TooManyGuesses as early:
            return texts.wait.format(seconds=early.wait)
        return ""

    def _status(self, visit: Visit, values: dict[str, bytes], now: float) -> PageAnswer:
        del now
        step = STEP_OF_STAGE[self._joining.stage_report()]
        network = self._joining.network
        if step is Step.WAITING or network is None:
            return _redirect(303, "/")
        texts = LANGUAGES[visit.language]
        if self._joining.state is JoinState.FAILED:
            sentence, advice = texts.steps.get(step, (step.sentence, step.next_step))
            form = PasswordForm(visit.key, network.ssid, trouble=sentence, advice=advice)
            return self._ask_password(visit, form)
        awaited = step in UNDECIDED or (step is Step.CONNECTED and self._ordered)
        refreshing = "stay" not in values and awaited
        page = pages.status_page(
            self._frame(visit, "/status" + ("" if refreshing else "?stay=1")),
            step,
            key=visit.key,
            ssid=network.ssid,
            refreshing=refreshing,
            server=self._facts.server,
        )
        return self._html(page, refresh="/status" if refreshing else "")

    def _order(self, visit: Visit, values: dict[str, bytes], now: float) -> PageAnswer:
        """Take another token while the board is on the network."""
        del now
        order = self._read_order(values)
        if order is None:
            frame, texts = self._frame(visit, "/status"), LANGUAGES[visit.language]
            return self._html(pages.message_page(frame, texts.error_title, texts.bad_token), 422)
        onboarded = self._joining.bring(order)
        self._ordered = True
        return replace(_redirect(303, "/status"), wishes=() if onboarded is None else (onboarded,))

    def _again(self, visit: Visit, values: dict[str, bytes], now: float) -> PageAnswer:
        """Open for another network; what is stored stays stored until that one is joined."""
        del visit, values, now
        try:
            if self._joining.state is JoinState.CONNECTED:
                self._joining.reprovision()
            else:
                self._joining.reset()
        except IllegalTransition:
            return _redirect(303, "/status")
        return _redirect(303, "/")

    def _scan(self, visit: Visit, values: dict[str, bytes], now: float) -> PageAnswer:
        del visit, values, now
        wishes = () if self._scanning else (ScanWanted(SCAN),)
        return replace(_redirect(303, "/?stay=1"), wishes=wishes)

    def _warning(self, visit: Visit) -> str:
        return LANGUAGES[visit.language].unsafe if self._facts.air is Air.NOTHING else ""

    def _frame(self, visit: Visit, here: str, script: str = "") -> Frame:
        texts: Texts = LANGUAGES[visit.language]
        return Frame(texts, self._facts.name, here, script or (SCRIPT if self._facts.air is Air.CODE else ""))

    def _html(self, page: str, status: int = 200, *, refresh: str = "", scripts: bool = False) -> PageAnswer:
        headers = (
            ("Content-Security-Policy", policy(scripts=scripts or self._facts.air is Air.CODE)),
            ("X-Content-Type-Options", "nosniff"),
            ("X-Frame-Options", "DENY"),
            # "no-referrer" would turn the Origin of our own forms into "null".
            ("Referrer-Policy", "same-origin"),
        )
        again = (("Refresh", f"{REFRESH_S}; url={refresh}"),) if refresh else ()
        return PageAnswer(status, page.encode(), HTML, headers + again)


def _answer_anybody(request: PageRequest) -> PageAnswer | None:
    """Return what needs no visit: systems that look for the page, and what no person here has sent."""
    if request.host.lower() != request.here:
        return _elsewhere(request)
    if request.path == API_PATH:
        return PageAnswer(200, portal_state(request.root + "/"), API_TYPE)
    if is_probe(request.path):
        return _redirect(302, request.root + "/")
    if request.method == "POST" and request.origin not in ("", request.root):
        return PageAnswer(403, b"A form of another site is not taken.")
    return None


def _elsewhere(request: PageRequest) -> PageAnswer:
    """Answer a request for another name: a probe or a lost page is shown the way, a form is refused."""
    if request.method == "POST":
        return PageAnswer(421, b"This is a device that waits for its set-up, not the site you meant.")
    return _redirect(302, request.root + "/")


def _redirect(status: int, where: str) -> PageAnswer:
    return PageAnswer(status, headers=(("Location", where),))
