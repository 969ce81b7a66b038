"""A part of the stack that stays away is told of once, and that it is back."""

from __future__ import annotations

from core.records import Alert
from runtime.stack.absence import AWAY_SECONDS, Absence


class Told:
    """Keeps what a person hears."""

    def __init__(self) -> None:
        self.words: list[str] = []

    def send(self, alert: Alert) -> None:
        self.words.append(alert.text[:18])

    def clear(self, at_ms: int, key: str, text: str) -> None:
        self.words.append(text)


def test_a_long_absence_is_told_on_both_edges_and_a_short_one_on_none() -> None:
    now, told = [0.0], Told()
    absence = Absence("The Prefect worker", "worker.log", told, lambda: now[0])
    absence.note(is_there=True)
    for seconds in (1.0, AWAY_SECONDS):
        now[0] = seconds
        absence.note(is_there=False)
    assert not told.words
    now[0] = AWAY_SECONDS + 1.0
    absence.note(is_there=False)
    absence.note(is_there=True)
    absence.note(is_there=True)
    assert told.words == ["The Prefect worker", "The Prefect worker is there again."]
