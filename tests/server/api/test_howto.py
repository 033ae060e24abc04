"""The commands of "Connect the ERP", run as they stand on the page against the real web role."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from doorstep.server.accounts.api_keys import make_api_key
from doorstep.server.accounts.bootstrap import add_wholesaler
from doorstep.server.clock import now_us
from doorstep.server.custody import actions
from doorstep.server.custody.models import Sale
from tests.server.making import batch_of, blank_devices, maker
from tests.server.roles import environment, free_port, running_role

_PAGE = Path(__file__).parents[3] / "docs" / "howto" / "connect-the-erp.md"
_BLOCKS = re.compile(r"```sh\n(?P<command>.*?)```\n\n```json\n(?P<answer>.*?)```", re.DOTALL)


@pytest.fixture
def web() -> Iterator[str]:
    port = free_port()
    with running_role("web", "doorstep.server.web:run", DOORSTEP_PORTAL_PORT=str(port)):
        yield f"http://127.0.0.1:{port}"


def _agrees(shown: Any, said: Any) -> bool:
    """Whether an answer is the one on the page, where … stands for what differs each time."""
    if shown == "…":
        return said is not None
    if isinstance(shown, dict) and isinstance(said, dict):
        return shown.keys() == said.keys() and all(_agrees(shown[key], said[key]) for key in shown)
    if isinstance(shown, list) and isinstance(said, list):
        return len(shown) == len(said) and all(map(_agrees, shown, said))
    return bool(shown == said)


@pytest.mark.peer
@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_page_tells_the_truth(web: str, tmp_path: Path) -> None:
    assert not Sale.objects.filter(order__startswith="2026-08").exists()
    made = [replace(device, serial=f"A-{1001 + n}") for n, device in enumerate(blank_devices(3))]
    actions.record_batch(batch_of(made), made, actor="operator", now_us=now_us())
    add_wholesaler("Wholesale", "orders@wholesale.example")
    key, _ = make_api_key(maker()[1], "ERP", ["maker:sales:write", "maker:sales:read"])
    examples = list(_BLOCKS.finditer(_PAGE.read_text(encoding="utf-8")))
    assert len(examples) == 6
    for example in examples:
        ran = subprocess.run(
            ["sh", "-ec", example["command"]],
            env=environment(DOORSTEP=web, KEY=key),
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        )
        assert _agrees(json.loads(example["answer"]), json.loads(ran.stdout)), ran.stdout
