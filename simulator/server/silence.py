"""Which instruments' data stands still by a fault, and until when."""

from __future__ import annotations

from collections.abc import Iterable

from simulator.model import Instrument


class Silence:
    """Asked for every tick: empty nearly always, so the question must cost nothing."""

    __slots__ = ("_until_ms",)

    def __init__(self) -> None:
        self._until_ms: dict[int, int] = {}

    def begin(self, instruments: Iterable[Instrument], until_ms: int) -> None:
        """No data of these before `until_ms`."""
        for instrument in instruments:
            self._until_ms[instrument.con_id] = max(until_ms, self._until_ms.get(instrument.con_id, 0))

    def holds(self, instrument: Instrument, now_ms: int) -> bool:
        """Whether data of this instrument is held back now."""
        until_ms = self._until_ms.get(instrument.con_id)
        if until_ms is None:
            return False
        if now_ms < until_ms:
            return True
        del self._until_ms[instrument.con_id]
        return False
