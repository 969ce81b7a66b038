"""Imports point down, style holds, and what is imported is declared."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from importlib.metadata import packages_distributions

import pytest

from tests.tidy.sources import PACKAGES, ROOT, Source, product_sources, project, report

BIN = ROOT / ".venv" / "bin"


def _run(module: str, *arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_imports_point_down() -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys; from importlinter.cli import lint_imports_command as run; sys.exit(run())",
            "--no-cache",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 broken" in done.stdout


def test_style() -> None:
    _run("ruff", "check", "--no-cache", "--output-format", "concise", ".")


def test_types() -> None:
    _run("mypy")


def test_what_is_imported_is_declared() -> None:
    settings = project()["project"]
    texts = (*settings["dependencies"], *settings["optional-dependencies"]["parquet"], "pydantic-core")
    declared = {_normal(re.split(r"[\[<>=;]", text)[0]) for text in texts}
    distributions = packages_distributions()
    found = []
    for source in product_sources():
        for name in _imported(source) - sys.stdlib_module_names - set(PACKAGES):
            owners = {_normal(owner) for owner in distributions.get(name, [name])}
            if owners.isdisjoint(declared):
                found.append(f"{source.path} imports {name}, which pyproject.toml does not declare")
    report(found)


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_the_lock_pins_everything_by_hash_and_names_no_place(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    assert not re.search(r"://|^-|--index|--find|--extra| @ ", text, re.MULTILINE)
    blocks = re.split(r"\n(?=[A-Za-z])", text.strip())
    report([block for block in blocks if not re.match(r"[\w.\-\[\],]+==\S+( ; [^\\]+)? \\\n +--hash=sha256:", block)])


def test_both_locks_pin_the_same_versions() -> None:
    runtime, dev = (_pins(name) for name in ("requirements.lock", "requirements-dev.lock"))
    assert runtime.items() <= dev.items()


def test_the_lock_holds_what_is_declared() -> None:
    extras = project()["project"]["optional-dependencies"]
    runtime, dev = (_pins(name) for name in ("requirements.lock", "requirements-dev.lock"))
    wanted = {_normal(re.split(r"[\[<>=;]", text)[0]) for text in project()["project"]["dependencies"]}
    assert wanted <= runtime.keys()
    assert {_normal(text) for text in (*extras["dev"], *extras["parquet"])} <= dev.keys()


def test_every_folder_of_tests_is_run() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    listed = {name for names in re.findall(r"foreach area,([\w ]+),", makefile) for name in names.split()}
    folders = {path.name for path in (ROOT / "tests").iterdir() if path.is_dir() and any(path.rglob("test_*.py"))}
    assert folders <= listed


def _imported(source: Source) -> set[str]:
    names = set()
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.split(".")[0])
    return names


def _pins(name: str) -> dict[str, str]:
    text = (ROOT / name).read_text(encoding="utf-8")
    return {
        _normal(package): version
        for package, version in re.findall(r"^([\w.\-]+)(?:\[[\w,\-]+\])?==(\S+)", text, re.MULTILINE)
    }


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
