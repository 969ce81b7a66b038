"""Files and functions stay small; modules, classes and functions say what they are."""

from __future__ import annotations

import ast

import pytest

from tests.tidy.sources import Definition, Source, product_sources, report, sources

FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 60


def test_files_are_small() -> None:
    sizes = {source.path: len(source.text.splitlines()) for source in sources()}
    report(
        [f"{path}: {lines} lines, at most {FILE_LINES_MAX}" for path, lines in sizes.items() if lines > FILE_LINES_MAX]
    )


def test_functions_are_small() -> None:
    report(
        [
            f"{source.path}:{node.lineno} {node.name}: {length} lines, at most {FUNCTION_LINES_MAX}"
            for source in sources()
            for node in source.definitions()
            if not isinstance(node, ast.ClassDef)
            and (length := (node.end_lineno or node.lineno) - node.lineno + 1) > FUNCTION_LINES_MAX
        ]
    )


def test_modules_say_what_they_are() -> None:
    report([source.path for source in sources() if source.text.strip() and not ast.get_docstring(source.tree)])


def test_public_things_say_what_they_are() -> None:
    report(
        [
            f"{source.path}:{node.lineno} {node.name}"
            for source in product_sources()
            for node in _public(source)
            if not ast.get_docstring(node)
        ]
    )


def _public(source: Source) -> list[Definition]:
    """Public classes and functions at module level, and the public methods of public classes."""
    found: list[Definition] = []
    for node in source.tree.body:
        if isinstance(node, Definition) and _needs_text(node):
            found.append(node)
            if isinstance(node, ast.ClassDef):
                found += [part for part in node.body if isinstance(part, Definition) and _needs_text(part)]
    return found


def _needs_text(node: Definition) -> bool:
    decorators = {ast.unparse(decorator) for decorator in node.decorator_list}
    return not node.name.startswith("_") and not any(
        name in ("override", "overload") or name.endswith(".setter") for name in decorators
    )


@pytest.mark.parametrize(
    ("text", "public"),
    [
        ("def a(): ...", ["a"]),
        ("def _a(): ...", []),
        ("class A:\n def b(self): ...\n def _c(self): ...\n @override\n def d(self): ...", ["A", "b"]),
    ],
)
def test_what_counts_as_public(text: str, public: list[str]) -> None:
    assert [node.name for node in _public(Source("core/x.py", text))] == public
