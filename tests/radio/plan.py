"""Which proofs there are, which of them share a machine, and where their reports arrive."""

import ast
import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.radio.vm import VmRun, run_in_vm

__all__ = ["GUEST", "Machines", "Report", "find_proofs", "share_out"]

GUEST: Final = Path(__file__).parent / "guest"
BOOT_SECONDS: Final = 60
"""Of a machine's time limit, besides its proofs'."""
LONGEST_PROOF: Final = 160
USUAL_PROOF: Final = 12.0


@dataclass(frozen=True, slots=True)
class Report:
    """How one proof ended in the machine."""

    ok: bool
    seconds: float
    note: str
    trace: str


def find_proofs() -> dict[str, float]:
    """Return every proof, as ``module::proof_…``, with the seconds that it is expected to take.

    Read, not imported: guest modules import what only the machine has. A module's ``SECONDS`` says how
    long one of its proofs takes.
    """
    return {
        f"{path.stem}::{name}": seconds
        for path in sorted(GUEST.glob("*.py"))
        for name, seconds in _proofs_of(ast.parse(path.read_text(encoding="utf-8")))
    }


def _proofs_of(module: ast.Module) -> list[tuple[str, float]]:
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    names = [
        node.name for node in module.body if isinstance(node, functions) and node.name.startswith("proof_")
    ]
    return [(name, _seconds(module)) for name in names]


def _seconds(module: ast.Module) -> float:
    for node in module.body:
        if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == "SECONDS" and node.value:
            return float(ast.literal_eval(node.value))
    return USUAL_PROOF


def share_out(proofs: Sequence[str], machines: int) -> list[list[str]]:
    """Give whole modules to the least busy of ``machines``, the longest module first."""
    expected = find_proofs()
    modules: dict[str, list[str]] = {}
    for proof in proofs:
        modules.setdefault(proof.partition("::")[0], []).append(proof)
    shares: list[list[str]] = [[] for _ in range(machines)]
    for members in sorted(modules.values(), key=lambda each: -sum(expected[name] for name in each)):
        min(shares, key=lambda share: sum(expected[name] for name in share)).extend(members)
    return [share for share in shares if share]


@dataclass
class Machines:
    """Runs proofs in machines side by side; ``wait`` blocks until a proof's report is here."""

    tell: Callable[[str], None] = print
    reports: dict[str, Report] = field(default_factory=dict)
    _over: dict[str, VmRun | BaseException] = field(default_factory=dict)
    _news: threading.Condition = field(default_factory=threading.Condition)
    _threads: list[threading.Thread] = field(default_factory=list)

    def start(self, proofs: Sequence[str], machines: int = 3) -> None:
        """Boot the machines; returns at once.

        Proofs mostly wait, for an answer that must not come or for a patience to end: two cores carry three.
        """
        for share in share_out(proofs, machines):
            thread = threading.Thread(target=self._run, args=(share,), daemon=True)
            thread.start()
            self._threads.append(thread)

    def wait(self, proof: str) -> Report:
        """Return a proof's report; one that its machine never made is a failed one with the console."""
        with self._news:
            self._news.wait_for(lambda: proof in self.reports or proof in self._over)
            if proof in self.reports:
                return self.reports[proof]
            end = self._over[proof]
            told = end.console if isinstance(end, VmRun) else repr(end)
            return Report(ok=False, seconds=0, note="", trace=f"the machine made no report:\n{told}")

    def join(self) -> None:
        """Wait until all machines are off."""
        for thread in self._threads:
            thread.join()

    def _run(self, share: list[str]) -> None:
        end: VmRun | BaseException
        limit = BOOT_SECONDS + LONGEST_PROOF + 3 * sum(find_proofs()[proof] for proof in share)
        try:
            end = run_in_vm("tests.radio.guest.run", *share, timeout=limit, heard=self._heard, tell=self.tell)
        except BaseException as error:  # noqa: BLE001 - handed to the tests that wait for it
            end = error
        with self._news:
            self._over |= dict.fromkeys(share, end)
            self._news.notify_all()

    def _heard(self, line: str) -> None:
        told = json.loads(line)
        verdict = "proven" if told["ok"] else "FAILED"
        self.tell(f"[radio] {told['proof']} {verdict} in {told['seconds']} s {told['note']}".rstrip())
        with self._news:
            self.reports[told["proof"]] = Report(told["ok"], told["seconds"], told["note"], told["trace"])
            self._news.notify_all()
