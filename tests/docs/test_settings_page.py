"""The page of settings is what the settings say; ``python -m tests.docs.test_settings_page`` writes it."""

import ast
import inspect
from pathlib import Path

from doorstep.runtime import settings
from doorstep.runtime.settings import SECTIONS, Settings

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "settings.md"

HEAD = """# Settings

Each setting comes from the environment, else from one TOML file, else it has its default. The file is the
one that `DOORSTEP_FILE` names, else `doorstep.toml` in the working folder if there is one. An unknown key,
a malformed value and a contradiction stop the start with a sentence that names the key. This page is made
from the code by `python3 tasks.py docs`.
"""


def sentences() -> dict[str, str]:
    """Return setting → the sentence that stands below it in the code."""
    (body,) = [node for node in ast.parse(inspect.getsource(settings)).body if isinstance(node, ast.ClassDef)]
    found: dict[str, str] = {}
    name = ""
    for node in body.body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            name = node.target.id
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and name:
            found[name] = str(node.value.value).replace("``", "`")
        else:
            name = ""
    return found


def page() -> str:
    """Return the page as it must be."""
    told, default = sentences(), Settings()
    lines = [HEAD]
    for section, keys in SECTIONS.items():
        lines += [
            f"## `[{section}]`",
            "",
            "| in the file | in the environment | default | what it is |",
            "|---|---|---|---|",
        ]
        for key in keys:
            value = str(getattr(default, key))
            shown = (
                f"`{value.lower() if isinstance(getattr(default, key), bool) else value}`"
                if value
                else "empty"
            )
            lines.append(f"| `{key}` | `DOORSTEP_{key.upper()}` | {shown} | {told[key]} |")
        lines.append("")
    return "\n".join(lines)


def test_every_setting_has_its_sentence() -> None:
    assert {key for keys in SECTIONS.values() for key in keys} <= set(sentences())


def test_page_is_what_the_settings_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == page()


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
