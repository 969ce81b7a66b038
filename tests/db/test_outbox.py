"""The shipper: every journal row in Postgres once, and the same tables, however it is cut, killed or held up."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from db.engine import open_database
from db.journal import Journal, JournalRow
from db.models import Base
from tests.support.journals import SESSION
from tests.support.shipping import DAY, Tables, ship_all, tables


def empty(url: str) -> None:
    names = ", ".join(table.name for table in Base.metadata.sorted_tables)
    with open_database(url).begin() as connection:
        connection.execute(text(f"TRUNCATE {names}"))


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal.open(tmp_path, SESSION) as opened:
        yield opened


def test_the_journal_arrives_whole_and_in_order(journal: Journal, postgres_url: str) -> None:
    journal.append(DAY)
    ship_all(journal, postgres_url)
    query = text("SELECT sequence, (extract(epoch FROM at) * 1000)::bigint, event, commands FROM journal ORDER BY 1")
    with open_database(postgres_url).connect() as connection:
        assert [JournalRow(*row) for row in connection.execute(query)] == DAY
    assert journal.shipped_sequence == len(DAY)


@settings(max_examples=5, deadline=None, phases=(Phase.generate,), suppress_health_check=list(HealthCheck))
@given(cuts=st.lists(st.integers(1, len(DAY) - 1), max_size=5), batch_rows=st.integers(8, 80))
def test_any_cut_and_any_restart_give_the_same_tables(
    tmp_path_factory: pytest.TempPathFactory,
    postgres_url: str,
    whole_day: Tables,
    cuts: list[int],
    batch_rows: int,
) -> None:
    empty(postgres_url)
    folder = tmp_path_factory.mktemp("journal")
    for begin, end in pairwise(sorted({0, *cuts, len(DAY)})):  # each piece by a new writer with a new shipper
        with Journal.open(folder, SESSION) as journal:
            journal.append(DAY[begin:end])
            ship_all(journal, postgres_url, batch_rows)
    assert tables(postgres_url) == whole_day


def count_ids(pattern: str) -> int:
    return len({exec_id for row in DAY for exec_id in re.findall(pattern, row.event)})


def test_the_tables_say_what_happened(whole_day: Tables) -> None:
    assert {name: len(rows) for name, rows in whole_day.items() if rows} == {
        "sessions": 1,
        "journal": len(DAY),
        "decisions": sum(row.event.startswith('{"type":"PredictionReceived"') for row in DAY),
        "orders": 36,
        "executions": count_ids('"exec_id":"(.*?)","order_ref"'),
        "commissions": count_ids('"exec_id":"(.*?)","commission":"'),
        "trades": 12,
        "alerts": 2,
    }
    assert {row["net_pnl"] for row in whole_day["trades"]} == {"13.00"}
    assert {(row["leg"], row["status"]) for row in whole_day["orders"]} == {
        ("entry", "Filled"),
        ("target", "Filled"),
        ("stop", "Cancelled"),
    }
    assert all(row["ended_at"] != "None" for row in whole_day["orders"])
    link, nul = sorted(whole_day["alerts"], key=lambda row: row["key"])
    assert (link["cleared_text"], nul["cleared_at"]) == ("back", "None")
    assert (nul["title"], nul["text"]) == ("half a pair ?", "a NUL \N{REPLACEMENT CHARACTER} inside")
    (session,) = whole_day["sessions"]
    assert (session["phase"], session["phase_reason"], session["halted_at"]) == ("closed", "flat", "None")
