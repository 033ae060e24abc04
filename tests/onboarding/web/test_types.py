"""TypeScript's checker reads the scripts' JSDoc, strictly."""

import json
from pathlib import Path

import pytest

from doorstep.runtime.webfiles import web_folder
from tests.onboarding.web.node import node
from tests.peers import install_peer, printed

pytestmark = pytest.mark.peer

NPM = ["npm", "install", "--no-audit", "--no-fund", "--prefix", "TARGET"]
PAGES = {"board.js", "bring.js"}
"""What runs in a page and knows its elements; browsers test it."""
OPTIONS = {
    "allowJs": True,
    "checkJs": True,
    "lib": ["es2023", "dom", "dom.iterable"],
    "module": "es2022",
    "moduleResolution": "bundler",
    "noEmit": True,
    "noImplicitAny": False,
    "strict": True,
    "target": "es2022",
}


def _check(folder: Path, files: list[str]) -> list[str]:
    peer = install_peer("typescript", [*NPM, "typescript@5.6.3", "@types/web-bluetooth@0.0.20"])
    modules = peer / "node_modules"
    options = {**OPTIONS, "typeRoots": [str(modules / "@types")], "types": ["web-bluetooth"]}
    (folder / "tsconfig.json").write_text(
        json.dumps({"compilerOptions": options, "files": files}), encoding="utf-8"
    )
    return printed([node(), modules / "typescript" / "bin" / "tsc", "-p", folder])


def test_checker_finds_nothing_in_the_scripts(tmp_path: Path) -> None:
    assert _check(tmp_path, [str(path) for path in web_folder().glob("*.js") if path.name not in PAGES]) == []


def test_checker_finds_what_is_wrong_on_purpose(tmp_path: Path) -> None:
    (tmp_path / "wrong.js").write_text("/** @param {number} a */\nfunction f(a) { return a.b; }\nf('x');\n")
    with pytest.raises(AssertionError):
        _check(tmp_path, ["wrong.js"])
