#!/usr/bin/env python3
"""Print the sizes of the SDK cores beside their budgets: ``python3 firmware/sizes.py``; exit 1 above one."""

import ast
import io
import re
import subprocess
import sys
import tempfile
import tokenize
from pathlib import Path

__all__ = ["core_text", "source_sizes", "stripped_lua", "stripped_python"]

HERE = Path(__file__).parent
COMPILE = ("gcc", "-std=c99", "-Os", "-fno-pie", "-ffunction-sections", "-c")
BUDGETS = {
    "C core, .text": 3 * 1024,
    "C registration, .text": 2 * 1024,
    "MicroPython core, source": 4 * 1024,
    "MicroPython opening, source": 3 * 1024,
    "MicroPython registration, source": 3 * 1024,
    "MicroPython set-up, source": 8 * 1024,
    "NodeMCU core, source": 4 * 1024,
    "NodeMCU registration, source": 3 * 1024,
}
"""Bytes that a part may have."""
TEXTS = ("doorstep_sealed", "doorstep_register")
PYTHON = ("doorstep_sealed", "doorstep_down", "doorstep_register", "doorstep_setup")
LUA = ("doorstep_sealed", "doorstep_register")


def core_text(name: str = TEXTS[0]) -> int:
    """Return the bytes of machine code of a part in C, as the host's gcc makes it for size."""
    with tempfile.TemporaryDirectory() as folder:
        compiled = f"{folder}/core.o"
        subprocess.run([*COMPILE, str(HERE / "c" / f"{name}.c"), "-o", compiled], check=True)
        listing = subprocess.run(["size", "-A", compiled], check=True, capture_output=True, text=True).stdout
    return sum(int(line.split()[1]) for line in listing.splitlines() if line.startswith(".text"))


def stripped_python(source: str) -> str:
    """Return the source without comments, docstrings and empty lines."""
    lines = source.splitlines()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            lines[token.start[0] - 1] = lines[token.start[0] - 1][: token.start[1]]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(node):
            text = node.body[0]
            # A body that is only its docstring needs something in its place.
            kept = [" " * text.col_offset + "pass"] if len(node.body) == 1 else [""]
            span = (text.end_lineno or text.lineno) - text.lineno + 1
            lines[text.lineno - 1 : text.end_lineno] = kept + [""] * (span - 1)
    return "".join(f"{line.rstrip()}\n" for line in lines if line.strip())


def stripped_lua(source: str) -> str:
    """Return the source without comments, indentation and empty lines; no string of ours holds ``--``."""
    lines = (re.sub(r"--.*", "", line).strip() for line in source.splitlines())
    return "".join(f"{line}\n" for line in lines if line)


def source_sizes() -> dict[str, int]:
    """Return the bytes of the parts that are sent to a board as source."""
    python = [stripped_python(_text("micropython", f"{part}.py")) for part in PYTHON]
    lua = [stripped_lua(_text("nodemcu", f"{part}.lua")) for part in LUA]
    return dict(zip(list(BUDGETS)[len(TEXTS) :], map(len, python + lua), strict=True))


def _text(*path: str) -> str:
    return HERE.joinpath(*path).read_text(encoding="utf-8")


def main() -> int:
    """Print the table."""
    sizes = dict(zip(BUDGETS, map(core_text, TEXTS), strict=False)) | source_sizes()
    print(f"{'':34}{'bytes':>7}{'budget':>8}")
    for name, size in sizes.items():
        print(f"{name:34}{size:7}{BUDGETS[name]:8}{'' if size <= BUDGETS[name] else '  too big'}")
    return int(any(size > BUDGETS[name] for name, size in sizes.items()))


if __name__ == "__main__":
    sys.exit(main())
