"""What the documents name exists: files, make targets, commands, settings."""

from __future__ import annotations

import re

from typer.main import get_command

from cli.main import app
from config import Settings
from tests.tidy.sources import ROOT, files, report

DOCUMENTS = [path for path in files() if path.endswith(".md")]
COMMANDS = set(get_command(app).commands)


def _found(pattern: str) -> list[tuple[str, str]]:
    """Every match of the pattern's group in a document: (document, text)."""
    return [
        (path, text) for path in DOCUMENTS for text in re.findall(pattern, (ROOT / path).read_text(encoding="utf-8"))
    ]


def test_links_lead_somewhere() -> None:
    links = _found(r"\]\(([^)#:]+)(?:#[^)]*)?\)")
    report([f"{path}: {link}" for path, link in links if not (ROOT / path).parent.joinpath(link).exists()])


def test_make_targets_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    report([f"{path}: make {name}" for path, name in _found(r"(?m)(?:`|^)make ([a-z]+)") if name not in targets])


def test_commands_exist() -> None:
    report(
        [
            f"{path}: trader {name}"
            for path, name in _found(r"(?m)(?:`|^)(?:\.venv/bin/)?trader ([a-z-]+)")
            if name not in COMMANDS
        ]
    )


def test_settings_exist() -> None:
    names = {f"TRADER_{name.upper()}" for name in Settings.model_fields}
    report([f"{path}: {name}" for path, name in _found(r"\b(TRADER_[A-Z][A-Z_]*[A-Z])\b") if name not in names])
