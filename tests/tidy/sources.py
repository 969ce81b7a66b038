"""The checkout's own files, read and parsed once, for the house rules."""

from __future__ import annotations

import ast
import subprocess
import tomllib
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("cli", "flows", "tasks", "runtime", "broker", "predictions", "db", "config", "core", "simulator")
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


@dataclass(frozen=True)
class Source:
    """One Python file: its path below the checkout and its text."""

    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        """What it says, parsed when first asked for."""
        return ast.parse(self.text)

    @property
    def is_product(self) -> bool:
        return self.path.split("/")[0] in PACKAGES

    def definitions(self) -> list[Definition]:
        """All classes and functions, nested ones too."""
        return [node for node in ast.walk(self.tree) if isinstance(node, Definition)]


@cache
def files() -> tuple[str, ...]:
    """Every file that is, or could be, committed."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return tuple(sorted({path for path in listed.stdout.splitlines() if (ROOT / path).is_file()}))


@cache
def sources() -> tuple[Source, ...]:
    """Every Python file of the product and the tests."""
    return tuple(Source(path, (ROOT / path).read_text(encoding="utf-8")) for path in files() if path.endswith(".py"))


def product_sources() -> list[Source]:
    """The Python files of the product."""
    return [source for source in sources() if source.is_product]


@cache
def project() -> dict[str, object]:
    """pyproject.toml."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def report(found: list[str]) -> None:
    """Fail with one line for each finding."""
    assert not found, "\n" + "\n".join(found)
