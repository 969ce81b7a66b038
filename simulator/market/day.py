"""The present day of the market: its feed, the touches it moves, and its running figures."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from simulator.exchange.floor import Touch
from simulator.market.calendar import Session
from simulator.market.feed import Feed, Second
from simulator.market.source import Market
from simulator.market.tape import SECONDS, DayTape, row_of
from simulator.model import DayFigures, Instrument, Price, Quote, Trade


class MarketDay:
    """Seconds from the extended open to the extended close of one session."""

    def __init__(self, market: Market, session: Session, touches: Mapping[int, Touch]) -> None:
        found = {item: market.tape(item, session.day) for item in market.instruments}
        self._market = market
        self._touches = touches
        self.session = session
        self.tapes: dict[Instrument, DayTape] = {item: tape for item, tape in found.items() if tape is not None}
        self._feed = Feed(self.tapes)
        self._base_ms = session.at_ms(session.extended_open)
        self._regular_open_ms = session.at_ms(session.regular_open)
        self._open: dict[int, Price] = {}
        self._previous_close: dict[int, Price] = {}

    def second_ended(self, now_ms: int) -> Second | None:
        """What the second that ended at `now_ms` brought; None outside the tape's hours."""
        row = (now_ms - self._base_ms) // 1000 - 1
        return self._feed.second(row) if 0 <= row < SECONDS else None

    def stand_at(self, now_ms: int) -> None:
        """Put every touch where the tape stands at a moment, without replaying what came before."""
        row = min((now_ms - self._base_ms) // 1000, SECONDS) - 1
        for instrument, tape in self.tapes.items():
            touch = self._touches[instrument.con_id]
            touch.last = _last_trade(tape, row) or touch.last
            if touch.last is None and tape.previous_last:
                touch.last = _trade_before(tape)
            touch.halted = bool(tape.halted[row]) if row >= 0 else False
            if row >= 0:
                columns = (tape.bid, tape.ask, tape.bid_size, tape.ask_size)
                touch.renew(Quote._make(int(column[row]) for column in columns))

    def figures(self, instrument: Instrument, now_ms: int) -> DayFigures:
        """Regular open, and high, low and volume of all hours so far; the regular close before."""
        previous = self.previous_close(instrument)
        tape = self.tapes.get(instrument)
        end = min(max((now_ms - self._base_ms) // 1000, 0), SECONDS)
        if tape is None or not tape.volume[:end].any():
            return DayFigures(0, 0, 0, 0, previous)
        traded = tape.volume[:end] > 0
        opening = row_of(self.session.regular_open)
        regular = np.flatnonzero(traded[opening:])
        return DayFigures(
            open=int(tape.open[opening + regular[0]]) if len(regular) else 0,
            high=int(tape.high[:end].max()),
            low=int(tape.low[:end][traded].min()),
            volume=int(tape.volume[:end].sum()),
            previous_close=previous,
        )

    def previous_close(self, instrument: Instrument) -> Price:
        """The last regular trade of the day before; 0 when no such day is known."""
        if instrument.con_id not in self._previous_close:
            earlier = self._market.days_before(self.session.day, 1)
            tape = self._market.tape(instrument, earlier[0]) if earlier else None
            self._previous_close[instrument.con_id] = tape.regular_close() if tape is not None else 0
        return self._previous_close[instrument.con_id]

    def opening_prices(self, second: Second, now_ms: int) -> list[tuple[Instrument, Price]]:
        """Instruments whose first regular trade came in this second, with its price."""
        if now_ms <= self._regular_open_ms:
            return []
        fresh = [(item, trade.open) for item, trade in second.trades if item.con_id not in self._open]
        self._open.update({item.con_id: price for item, price in fresh})
        return fresh

    def closing_price(self, instrument: Instrument) -> Price:
        """The closing auction's price."""
        tape = self.tapes.get(instrument)
        return tape.regular_close() if tape is not None else 0

    def shock(self, instrument: Instrument, now_ms: int, percent: float) -> None:
        """Move every price of the tape from now on by so many per cent."""
        row = (now_ms - self._base_ms) // 1000
        if instrument in self.tapes and 0 <= row < SECONDS:
            self.tapes[instrument].scale(row, 1 + percent / 100)
            self._feed.forget()

    def thin(self, instrument: Instrument, now_ms: int, shares: int, seconds: int) -> None:
        """Cap the sizes at the touch from now on."""
        row = (now_ms - self._base_ms) // 1000
        if instrument in self.tapes and 0 <= row < SECONDS:
            tape = self.tapes[instrument]
            for column in (tape.bid_size, tape.ask_size):
                np.minimum(column[row : row + seconds], shares, out=column[row : row + seconds])
            tape.quoted[row] = True
            self._feed.forget()

    def halt(self, instrument: Instrument, now_ms: int, seconds: int) -> None:
        """Write a halt from now on into the tape."""
        row = (now_ms - self._base_ms) // 1000
        if instrument in self.tapes and 0 <= row < SECONDS:
            self.tapes[instrument].halt(row, min(row + seconds, SECONDS))
            self._feed.forget()


def _last_trade(tape: DayTape, row: int) -> Trade | None:
    rows = np.flatnonzero(tape.volume[: row + 1])
    if not len(rows):
        return None
    at = int(rows[-1])
    columns = (tape.close, tape.volume, tape.open, tape.high, tape.low, tape.count)
    return Trade(tape.row_ms(at), *(int(column[at]) for column in columns))


def _trade_before(tape: DayTape) -> Trade:
    price = tape.previous_last
    return Trade(tape.row_ms(0) - 1000, price, 0, price, price, price, 0)
