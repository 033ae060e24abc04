"""The portal's words in other languages: gathered from templates and code, kept in .po, compiled to .mo.

After words changed: ``python -m tests.server.portal.catalogues``, translate what is empty, run it again.
"""

import ast
import re
import struct
from collections.abc import Iterator
from dataclasses import astuple
from pathlib import Path
from typing import Final

from django.utils.translation.template import templatize

from doorstep.onboarding.words import FAILURES

__all__ = ["FOLDER", "LANGUAGES", "Catalogue", "compiled", "gathered", "main", "parsed", "written"]

LANGUAGES: Final = ("de", "fr")
_SERVER: Final = Path(__file__).parents[3] / "src" / "doorstep" / "server"
FOLDER: Final = _SERVER / "portal" / "locale"
_TEXT: Final = r"u?('(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\")"
_IN_TEMPLATES: Final = re.compile(rf"\b(?:n?gettext|_)\(\s*{_TEXT}(?:,\s*{_TEXT})?")
_CALLS: Final = frozenset({"_", "gettext", "gettext_lazy", "gettext_noop", "ngettext", "ngettext_lazy"})
_PLURALS: Final = {"de": "n != 1", "fr": "n > 1"}

Message = tuple[str, str]
"""What is written in English, and its plural; empty when it has none."""
Catalogue = dict[Message, tuple[str, ...]]


def gathered() -> set[Message]:
    """Return everything that pages and code mark as to be translated, and why a set-up ends."""
    found: set[Message] = set()
    for path in _SERVER.rglob("*.html"):
        text = templatize(path.read_text(encoding="utf-8"), origin=path.name)
        found.update(_literals(text))
    for path in _SERVER.rglob("*.py"):
        found.update(_called(ast.parse(path.read_text(encoding="utf-8"))))
    found.update((text, "") for words in FAILURES.values() for text in astuple(words))
    return found


def _literals(text: str) -> Iterator[Message]:
    for match in _IN_TEMPLATES.finditer(text):
        yield ast.literal_eval(match[1]), ast.literal_eval(match[2]) if match[2] else ""


def _called(tree: ast.AST) -> Iterator[Message]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _CALLS:
            texts = [
                one.value for one in node.args if isinstance(one, ast.Constant) and isinstance(one.value, str)
            ]
            if texts:
                yield texts[0], texts[1] if node.func.id.startswith("n") and len(texts) > 1 else ""


def parsed(text: str) -> Catalogue:
    """Read a .po file of the form that `written` writes."""
    found: Catalogue = {}
    for block in text.split("\n\n"):
        lines = dict(line.split(" ", 1) for line in block.splitlines() if line and not line.startswith("#"))
        values = {key: ast.literal_eval(value) for key, value in lines.items()}
        said = tuple(value for key, value in sorted(values.items()) if key.startswith("msgstr"))
        if values.get("msgid"):
            found[values["msgid"], values.get("msgid_plural", "")] = said
    return found


def written(language: str, catalogue: Catalogue) -> str:
    """Write a .po file, in the order of the English words."""
    blocks = [f'msgid ""\nmsgstr {_quoted(_head(language))}']
    for (one, many), said in sorted(catalogue.items()):
        lines = [f"msgid {_quoted(one)}"]
        if many:
            lines.append(f"msgid_plural {_quoted(many)}")
            lines += [f"msgstr[{number}] {_quoted(text)}" for number, text in enumerate(said)]
        else:
            lines.append(f"msgstr {_quoted(said[0])}")
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks) + "\n"


def compiled(language: str, catalogue: Catalogue) -> bytes:
    """Return the .mo file: GNU gettext's tables, sorted, without its optional hash table."""
    pairs = {b"": _head(language).encode()}
    for (one, many), said in catalogue.items():
        if all(said):
            pairs[(f"{one}\0{many}" if many else one).encode()] = "\0".join(said).encode()
    keys = sorted(pairs)
    texts, table = b"", []
    start = 28 + 16 * len(keys)
    for strings in (keys, [pairs[key] for key in keys]):
        for text in strings:
            table.append(struct.pack("<II", len(text), start + len(texts)))
            texts += text + b"\0"
    head = struct.pack("<7I", 0x950412DE, 0, len(keys), 28, 28 + 8 * len(keys), 0, 0)
    return head + b"".join(table) + texts


def main() -> None:
    """Bring every catalogue up to date and compile it."""
    for language in LANGUAGES:
        folder = FOLDER / language / "LC_MESSAGES"
        folder.mkdir(parents=True, exist_ok=True)
        po = folder / "django.po"
        old = parsed(po.read_text(encoding="utf-8")) if po.exists() else {}
        new = {key: old.get(key, ("", "") if key[1] else ("",)) for key in gathered()}
        po.write_text(written(language, new), encoding="utf-8")
        (folder / "django.mo").write_bytes(compiled(language, new))


def _head(language: str) -> str:
    return (
        f"Language: {language}\nContent-Type: text/plain; charset=UTF-8\n"
        f"Plural-Forms: nplurals=2; plural={_PLURALS[language]};\n"
    )


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


if __name__ == "__main__":
    main()
