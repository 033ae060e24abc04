"""Strangers' code for the legacy formats on the real platform: NodeMCU's Lua, and PyPI iot-message."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest

from doorstep.messaging.legacy.formats import Format
from doorstep.testing.plant import Plant
from tests.firmware.boards import nodemcu
from tests.ingest.boards import LegacyNode, add_boards
from tests.ingest.tables import letters
from tests.ingest.test_legacy import kept
from tests.peers import install_peer
from tests.wait import until, until_soon

pytestmark = [pytest.mark.peer, pytest.mark.roles]

HERE = Path(__file__).parent
BOARD = HERE.parent / "firmware" / "article_node.lua"
PIP = [sys.executable, "-m", "pip", "install", "--quiet", "--target", "TARGET"]


@pytest.fixture
def database() -> str:
    """Strangers don't see the database."""
    return "sqlite"


def configured(plant: Plant, node: LegacyNode, folder: Path, **said: str) -> Path:
    folder.mkdir()
    texts = {
        "device_id": node.device.device_id,
        "host": "127.0.0.1",
        "password": node.password,
        "node_id": node.node_id.decode(),
        "staticiv": node.keys.static_iv.decode(),
        "ivkey": node.keys.iv_key.decode(),
        "datakey": node.keys.data_key.decode(),
        "passphrase": node.keys.passphrase.decode(),
    } | said
    lines = "".join(f"  {name} = {json.dumps(text)},\n" for name, text in texts.items())
    config = f"return {{\n{lines}  port = {plant.settings.mqtt_plain_port}\n}}\n"
    (folder / "config.lua").write_text(config, encoding="utf-8")
    return folder


async def start(folder: Path) -> asyncio.subprocess.Process:
    board = nodemcu(BOARD)
    return await asyncio.create_subprocess_exec(
        *board.command,
        cwd=folder,
        env=board.environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def lines(board: asyncio.subprocess.Process) -> list[str]:
    said, wrong = await asyncio.wait_for(board.communicate(), 60)
    assert board.returncode == 0, said.decode() + wrong.decode()
    return said.decode().split("\n")[:-1]


def test_nodemcu_board_of_the_article_sends_and_a_second_one_answers(running: Plant, tmp_path: Path) -> None:
    asker, answerer = add_boards(running, 2)
    first = configured(running, asker, tmp_path / "asker", value="21.5")
    second = configured(running, answerer, tmp_path / "answerer", answer="thanks")

    async def scene() -> None:
        listening = await start(second)
        assert listening.stdout is not None
        assert await asyncio.wait_for(listening.stdout.readline(), 30) == b"ready\n"
        await asyncio.sleep(0.5)  # what it announced is known
        assert await lines(await start(first)) == ["ready", "sent"]
        assert await lines(listening) == ["heard 21.5 of 11242238", "sent"]

    asyncio.run(scene())
    until(lambda: kept(running, answerer))
    assert kept(running, asker) == [("article", {"data": 21.5})]
    assert kept(running, answerer) == [("article", {"data": "thanks"})]
    # Nobody announced an id for the answer.
    assert letters(running, asker.device) == {}


def iot_message(task: str, node: LegacyNode, given: bytes = b"") -> bytes:
    folder = install_peer("iot-message", [*PIP, "iot-message==1.2.1", "pycryptodome==3.23.0"])
    keys = node.keys
    secrets = (keys.static_iv, keys.iv_key, keys.data_key, keys.passphrase)
    command: list[str | Path] = [sys.executable, HERE / "iot_message_peer.py", task, node.node_id.decode()]
    done = subprocess.run(
        [*command, *(secret.decode() for secret in secrets)],
        env={"PYTHONPATH": str(folder)},
        input=given,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.strip()


def test_iot_message_talks_both_ways(running: Plant) -> None:
    asker, answerer = add_boards(running, 2, Format.IOT1)
    message = iot_message("seal", asker)

    async def scene() -> bytes:
        one, two = await asker.connect(running), await answerer.connect(running)
        await asker.say(one, message)
        heard = await answerer.down(two, Format.IOT1)
        await until_soon(lambda: bool(kept(running, asker)))
        one.close()
        two.close()
        return heard

    opened = json.loads(iot_message("open", answerer, asyncio.run(scene())))
    assert kept(running, asker) == [("iot1-aessha1", {"t": 21.5})]
    assert (opened["chip_id"], opened["event"]) == (asker.node_id.decode(), "dht.status")
    assert opened["parameters"] == {"t": 21.5}
