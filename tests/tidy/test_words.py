"""Words that say nothing, code that hides errors, and things that must not be committed."""

from __future__ import annotations

import ast
import re
import tokenize
from collections.abc import Iterator
from io import StringIO
from pathlib import PurePath

import pytest

from tests.tidy.sources import ROOT, Source, files, product_sources, report, sources

EMPTY_WORDS = frozenset({"util", "utils", "manager", "helper", "helpers", "misc"})
EMPTY_NAMES = frozenset({"data", "info"})
ON_THE_WIRE = ("broker/", "simulator/")  # where IB's own message names are spoken: historicalData, userInfo
UNFINISHED = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X|HA" + r"CK)\b|Not" + r"ImplementedError")
SILENCERS = re.compile(r"#\s*(type:\s*ignore|noqa|pragma:\s*no cover)(\[[\w, -]+\]|:\s*[A-Z0-9, ]+)?\s*(?P<reason>.*)")
ELSEWHERE = re.compile(
    "py" + r"pi\.org|pythonhos" + r"ted|registry\.np" + r"mjs|deb\.deb" + r"ian|(?<![\w.])/(opt/py.i|work|root|farm)/"
)
BINARY = frozenset({".png", ".ico", ".zip", ".gz", ".parquet", ".woff2"})


def _words(name: str) -> list[str]:
    return [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name)]


def _is_empty_name(name: str, path: str = "core/") -> bool:
    words = _words(name)
    if not EMPTY_WORDS.isdisjoint(words):
        return True
    return not path.startswith(ON_THE_WIRE) and _ends_empty(words)


def _ends_empty(words: list[str]) -> bool:
    return bool(words) and words[-1] in EMPTY_NAMES and words[-2:] != ["market", "data"]


def test_names_say_something() -> None:
    modules = [source.path for source in product_sources() if _is_empty_name(PurePath(source.path).stem)]
    named = [
        f"{source.path}:{node.lineno} {node.name}"
        for source in product_sources()
        for node in source.definitions()
        if _is_empty_name(node.name, source.path)
    ]
    report(modules + named)


@pytest.mark.parametrize(
    ("name", "empty"),
    [("OrderManager", True), ("get_data", True), ("MarketDataSeen", False), ("market_data", False), ("Inform", False)],
)
def test_what_counts_as_an_empty_name(name: str, empty: bool) -> None:
    assert _is_empty_name(name) is empty


def test_nothing_is_left_unfinished() -> None:
    report([f"{path}:{number} {line.strip()}" for path, number, line in _lines() if UNFINISHED.search(line)])


def test_no_registry_hosts_or_paths_of_a_machine() -> None:
    report([f"{path}:{number} {line.strip()}" for path, number, line in _lines() if ELSEWHERE.search(line)])


def test_what_silences_a_checker_gives_its_reason() -> None:
    report(
        [f"{source.path}:{number} {text}" for source in sources() for number, text in _silenced_without_reason(source)]
    )


def test_only_the_command_line_prints() -> None:
    report(
        [
            f"{source.path}:{line}"
            for source in product_sources()
            for line in _calls(source, {"print"})
            if not _is_front(source)
        ]
    )


def test_tests_wait_for_nothing_and_fake_nothing() -> None:
    names = {"time.sleep", "MagicMock", "AsyncMock", "Mock", "patch", "mocker.patch"}
    tests = [source for source in sources() if source.path.startswith("tests/")]
    report([f"{source.path}:{line}" for source in tests for line in _calls(source, names)])


def _is_front(source: Source) -> bool:
    return source.path.startswith("cli/") or source.path.endswith("__main__.py")


def _lines() -> Iterator[tuple[str, int, str]]:
    for path in files():
        if PurePath(path).suffix not in BINARY and not path.startswith("tests/tidy/"):
            for number, line in enumerate((ROOT / path).read_text(encoding="utf-8").splitlines(), 1):
                yield path, number, line


def _silenced_without_reason(source: Source) -> Iterator[tuple[int, str]]:
    for token in tokenize.generate_tokens(StringIO(source.text).readline):
        match = SILENCERS.search(token.string) if token.type == tokenize.COMMENT else None
        if match and len(match["reason"].strip(" #-")) < 5:
            yield token.start[0], token.string


def _calls(source: Source, names: set[str]) -> list[int]:
    return [
        node.lineno for node in ast.walk(source.tree) if isinstance(node, ast.Call) and ast.unparse(node.func) in names
    ]
