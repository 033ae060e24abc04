import re

import pytest

from doorstep.runtime.webfiles import web_folder

SCRIPTS = sorted(web_folder().glob("*.js"))


def test_folder_holds_the_scripts_and_nothing_below() -> None:
    assert {"bytes.js", "protocomm.js", "crypto_plain.js"} <= {script.name for script in SCRIPTS}
    assert not [entry for entry in web_folder().iterdir() if entry.is_dir()]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: str(script.name))
def test_script_imports_only_its_neighbours(script: object) -> None:
    text = web_folder().joinpath(str(script)).read_text("utf-8")
    wanted = re.findall(r'(?:from|import\() ?"([^"]+)"', text)
    assert {name.removeprefix("./") for name in wanted} <= {known.name for known in SCRIPTS}
