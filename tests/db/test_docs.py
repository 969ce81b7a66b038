"""docs/tables.md says what is true: every view with its columns, every table with its key, every example runs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from db.engine import ensure_database, open_database
from db.journal import Journal
from db.models import Base
from db.views import VIEWS
from flows.demo_screen import SQL_TO_TRY
from tests.support.journals import SESSION
from tests.support.postgres import TEMPLATE
from tests.support.shipping import DAY, ship_all

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "tables.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture(scope="module")
def page_url(postgres_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    url = ensure_database(postgres_server, "documented", template=TEMPLATE)
    with Journal.open(tmp_path_factory.mktemp("journal"), SESSION) as journal:
        journal.append(DAY)
        ship_all(journal, url)
        yield url


def test_every_view_is_there_with_its_columns(page_url: str) -> None:
    told = dict(re.findall(r"^### (v_\w+)\n.*?^Columns: (.*?)$", PAGE, re.DOTALL | re.MULTILINE))
    with open_database(page_url).connect() as connection:
        real = {
            view.name: ", ".join(connection.execute(text(f"SELECT * FROM {view.name} LIMIT 0")).keys())
            for view in VIEWS
        }
    assert told == real


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_runs(page_url: str, example: str) -> None:
    with open_database(page_url).connect() as connection:
        result = connection.exec_driver_sql(example)
        assert result.returns_rows


def test_the_statement_that_the_demo_suggests_runs(page_url: str) -> None:
    with open_database(page_url).connect() as connection:
        assert connection.exec_driver_sql(SQL_TO_TRY).all()


def test_there_is_an_example_for_every_view() -> None:
    assert {view.name for view in VIEWS} <= set(re.findall(r"\bv_\w+", " ".join(EXAMPLES)))


def test_every_table_is_there_with_its_key() -> None:
    told = dict(re.findall(r"^\| `(\w+)` \|.*\| ([\w, ]+) \|$", PAGE, re.MULTILINE))
    assert told == {table.name: ", ".join(table.primary_key.columns.keys()) for table in Base.metadata.sorted_tables}


def test_every_table_and_view_has_a_comment(page_url: str) -> None:
    assert all(table.comment for table in Base.metadata.sorted_tables)
    with open_database(page_url).connect() as connection:
        for view in VIEWS:
            said = connection.scalar(text(f"SELECT obj_description('{view.name}'::regclass)"))
            assert said.startswith(view.comment)
