"""The same day twice is the same to the last word of the journal (a whole one: `make long`)."""

from __future__ import annotations

from pathlib import Path

from core.codec import encode
from tests.cases.field import field


async def journal_of(folder: Path) -> list[str]:
    """The rows of a short day with entries, a reversal and a closure, without the folder and the port, which is any."""
    folder.mkdir()
    async with field(folder, "SOXL", "GLD") as day:
        day.predict(60, "SOXL", "BUY")
        day.predict(90, "GLD", "SELL")
        day.predict(200, "SOXL", "SELL")
        await day.live()
        port = str(day.gateway.port)
        return [
            f"{at_ms} {encode(event)} {encode(commands)}".replace(port, "").replace(str(folder), "")
            for at_ms, event, commands in day.rows()
        ]


async def test_a_day_played_twice_writes_the_same_journal(tmp_path: Path) -> None:
    first, second = await journal_of(tmp_path / "one"), await journal_of(tmp_path / "two")
    assert len(first) > 500
    assert sum("RecordTrade" in row for row in first) >= 3
    for row, again in zip(first, second, strict=True):
        assert row == again
