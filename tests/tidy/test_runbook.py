"""Every alert that can reach a person has its line in the runbook."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.tidy.sources import ROOT, product_sources, report

TITLE = {"alert": 2, "Alert": 3}
"""Calls that raise an alert, with the place of its title among their arguments."""


def titles() -> Iterator[str]:
    """The fixed words of every title; what stands for a ticker, a leg or a day is cut out."""
    for source in product_sources():
        for node in ast.walk(source.tree):
            if isinstance(node, ast.Call):
                place = TITLE.get(getattr(node.func, "attr", getattr(node.func, "id", "")), len(node.args))
                for title in node.args[place : place + 1]:
                    yield from fixed_words(title)


def fixed_words(title: ast.expr) -> Iterator[str]:
    for part in title.values if isinstance(title, ast.JoinedStr) else [title]:
        if isinstance(part, ast.Constant) and (words := str(part.value).strip(" :")):
            yield words


def test_the_runbook_names_every_alert() -> None:
    page = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8").lower()
    known = set(titles())
    assert len(known) > 20
    report(sorted(words for words in known if words.lower() not in page))
