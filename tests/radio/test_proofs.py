"""Every proof of `tests.radio.guest`, each as a test of its own; machines side by side run them."""

from collections.abc import Iterator

import pytest

from tests.radio.image import missing_programs
from tests.radio.plan import Machines, find_proofs

pytestmark = [pytest.mark.slow, pytest.mark.radio, pytest.mark.timeout(900)]


@pytest.fixture(scope="session")
def machines(request: pytest.FixtureRequest) -> Iterator[Machines]:
    """Machines that run just the proofs whose tests were selected."""
    if missing := missing_programs():
        pytest.skip(f"the radio tests need {', '.join(missing)}")
    chosen = [proof for item in request.session.items if (proof := _proof_of(item))]
    running = Machines()
    running.start(chosen)
    yield running
    running.join()


def _proof_of(item: pytest.Item) -> str:
    is_proof = isinstance(item, pytest.Function) and item.originalname == test_machine_proves.__name__
    return item.name.partition("[")[2].removesuffix("]") if is_proof else ""


@pytest.mark.parametrize("proof", find_proofs())
def test_machine_proves(machines: Machines, proof: str, capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():  # the machines tell what they do meanwhile
        report = machines.wait(proof)
    assert report.ok, report.trace
