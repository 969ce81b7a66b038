"""Quotes, trades, 5-second bars and tick-by-tick: subscriptions, TWS's line limits, and the permission to see data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from simulator.model import Bar, Instrument, Quote, Trade
from simulator.server.desk import Desk, Office, Route
from simulator.server.hours import RegularHours
from simulator.server.limits import MARKET_DATA_LINES, TICK_BY_TICK_MAX, TOTAL_MAX, TOTAL_WINDOW_MS
from simulator.server.lookup import find_instrument
from simulator.server.session import Session
from simulator.server.silence import Silence
from simulator.server.subscriptions import BarLine, Book, TickByTickLine, TickLine
from simulator.server.tally import DayTally, Running
from simulator.wire import answers, bars, codes, requests, ticks, versions

LIVE, DELAYED = 1, 3
_BAR_KINDS: Final = ("TRADES", "BID", "ASK", "MIDPOINT")
_TICK_KINDS: Final = {"Last": 1, "AllLast": 2, "BidAsk": 3, "MidPoint": 4}
_SHORTABLE_TICK: Final = "236"


@dataclass(frozen=True, slots=True)
class Permission:
    """What the account may see: `code` 0 is everything; 354, 10089, 10168... nothing; 10167 delayed data; by symbol."""

    code: int = 0
    symbols: frozenset[str] = frozenset()

    def code_for(self, symbol: str) -> int:
        """The code that a subscription of this symbol draws."""
        return self.code if not self.symbols or symbol in self.symbols else 0


class MarketDesk(Desk):
    """1, 2, 50, 51, 59, 97 and 98."""

    def __init__(self, office: Office, silence: Silence) -> None:
        super().__init__(office)
        self.permission = Permission()
        self._silence = silence
        self._hours = RegularHours(office.venue)
        self._kind: dict[Session, int] = {}
        self._ticks: Book[TickLine] = Book()
        self._bars: Book[BarLine] = Book()
        self._each: Book[TickByTickLine] = Book()
        self._last_price: dict[int, int] = {}
        self._tally = DayTally(office.venue)
        self._bar_requests: list[int] = []

    def routes(self) -> Mapping[int, Route]:
        """Message id to reader and handler."""
        return {
            1: (requests.MarketData.read, self._subscribe),
            2: (requests.RequestId.read, self._cancel_ticks),
            50: (requests.RealTimeBars.read, self._subscribe_bars),
            51: (requests.RequestId.read, self._cancel_bars),
            59: (requests.Number.read, self._choose_kind),
            97: (requests.TickByTick.read, self._subscribe_ticks),
            98: (requests.RequestId.read_bare, self._cancel_each),
        }

    def subscriptions(self) -> list[tuple[Session, int]]:
        """(session, request id) of every subscription of ticks and bars, for faults that name each of them."""
        return [*self._ticks.keys(), *self._bars.keys()]

    def forget(self, session: Session) -> None:
        """Drop every subscription of a lost session."""
        self._kind.pop(session, None)
        for book in (self._ticks, self._bars, self._each):
            book.forget(session)

    def bar_subscriptions(self) -> list[tuple[Session, int]]:
        """(session, request id) of every subscription of 5-second bars."""
        return self._bars.keys()

    def forget_bars(self) -> None:
        """Drop every subscription of 5-second bars."""
        self._bars.forget(None)

    def freeze(self, instruments: Iterable[Instrument], until_ms: int) -> None:
        """Hold back all data of these instruments before `until_ms`."""
        self._silence.begin(instruments, until_ms)

    def forget_all(self) -> None:
        """Drop every subscription of everybody: connectivity came back with data lost (1101)."""
        for book in (self._ticks, self._bars, self._each):
            book.forget(None)

    # ---- requests ---------------------------------------------------------------------------------------------
    def _choose_kind(self, session: Session, wanted: requests.Number) -> None:
        if wanted.value not in (1, 2, 3, 4):
            cause = codes.validating(f"Market data type {wanted.value} is not 1, 2, 3 or 4.")
            self.office.error(session, -1, codes.VALIDATING, cause)
            return
        self._kind[session] = wanted.value

    def _open(
        self, session: Session, is_taken: bool, request_id: int, contract: requests.ContractText
    ) -> Instrument | None:
        """The instrument, if the id is free and the contract known; otherwise the error is sent."""
        if is_taken:
            self.office.error(session, request_id, codes.DUPLICATE_TICKER)
            return None
        instrument = find_instrument(self.venue, contract)
        if instrument is None:
            self.office.error(session, request_id, codes.NO_DEFINITION)
        return instrument

    def _has_line(self, session: Session, request_id: int) -> bool:
        """Whether one of TWS's market-data lines is left; otherwise the error is sent."""
        if len(self._ticks) + len(self._bars) < MARKET_DATA_LINES:
            return True
        self.office.error(session, request_id, codes.MAX_TICKERS)
        return False

    def _subscribe(self, session: Session, wanted: requests.MarketData) -> None:
        request_id = wanted.request_id
        is_taken = (session, request_id) in self._ticks
        instrument = self._open(session, is_taken, request_id, wanted.contract)
        if instrument is None or not self._has_line(session, request_id):
            return
        delayed = False
        code = self.permission.code_for(instrument.symbol)
        if code:
            delayed = code == codes.DELAYED_SHOWN or self._kind.get(session, LIVE) in (3, 4)
            self.office.error(session, request_id, codes.DELAYED_SHOWN if delayed else code)
            if not delayed:
                return
        minimum = instrument.min_tick / 10_000
        self.office.send(session, answers.tick_request_parameters(request_id, minimum, "9c0001", 3))
        self.office.send(session, answers.market_data_type(request_id, DELAYED if delayed else LIVE))
        line = TickLine(session, request_id, delayed)
        self._send_opening(line, instrument, _SHORTABLE_TICK in wanted.generic_ticks.split(","))
        if wanted.snapshot:
            self.office.send(session, answers.ended(57, request_id))
            return
        self._ticks.add(instrument.con_id, line)

    def _send_opening(self, line: TickLine, instrument: Instrument, shortable: bool) -> None:
        figures = self.venue.day_figures(instrument)
        tails = ticks.writer(line.session.version, line.delayed).opening(
            self.venue.quote(instrument), self.venue.last_trade(instrument), figures
        )
        tails.append(ticks.generic(49, "1.0" if self.venue.is_halted(instrument) else "0.0"))
        if shortable:
            shares = self.venue.shortable_shares(instrument)
            tails.append(ticks.generic(46, "3.0" if shares > 1000 else "2.0" if shares else "1.0"))
            tails.append(ticks.shortable_shares(shares))
        self._send_tails([line], tails)

    def _subscribe_bars(self, session: Session, wanted: requests.RealTimeBars) -> None:
        request_id, error = wanted.request_id, self.office.error
        is_taken = (session, request_id) in self._bars
        instrument = self._open(session, is_taken, request_id, wanted.contract)
        if instrument is None or not self._has_line(session, request_id):
            return
        if wanted.what_to_show not in _BAR_KINDS:
            cause = f"{wanted.what_to_show!r} is not one of {', '.join(_BAR_KINDS)}"
            error(session, request_id, codes.VALIDATING, codes.validating(cause))
            return
        code = self.permission.code_for(instrument.symbol)
        if code:
            error(session, request_id, codes.INVALID_REAL_TIME, codes.real_time("No permissions"))
            return
        now_ms = self.office.now_ms
        self._bar_requests = [at for at in self._bar_requests if at > now_ms - TOTAL_WINDOW_MS]
        if len(self._bar_requests) >= TOTAL_MAX:
            error(session, request_id, codes.INVALID_REAL_TIME, codes.real_time("pacing violation"))
            return
        self._bar_requests.append(now_ms)
        self._bars.add(instrument.con_id, BarLine(session, request_id, wanted.what_to_show, wanted.use_rth))

    def _subscribe_ticks(self, session: Session, wanted: requests.TickByTick) -> None:
        request_id = wanted.request_id
        instrument = self._open(session, (session, request_id) in self._each, request_id, wanted.contract)
        if instrument is None:
            return
        if len(self._each) >= TICK_BY_TICK_MAX:
            self.office.error(session, request_id, codes.MAX_TICK_BY_TICK)
            return
        kind = _TICK_KINDS.get(wanted.kind)
        if kind is None:
            cause = f"{wanted.kind!r} is not one of {', '.join(_TICK_KINDS)}"
            self.office.error(session, request_id, codes.VALIDATING, codes.validating(cause))
            return
        if self.permission.code_for(instrument.symbol):
            self.office.error(session, request_id, 10189)
            return
        self._each.add(instrument.con_id, TickByTickLine(session, request_id, kind))

    def _cancel_ticks(self, session: Session, wanted: requests.RequestId) -> None:
        self._cancel(session, wanted.request_id, self._ticks.drop(session, wanted.request_id))

    def _cancel_bars(self, session: Session, wanted: requests.RequestId) -> None:
        self._cancel(session, wanted.request_id, self._bars.drop(session, wanted.request_id))

    def _cancel_each(self, session: Session, wanted: requests.RequestId) -> None:
        self._cancel(session, wanted.request_id, self._each.drop(session, wanted.request_id))

    def _cancel(self, session: Session, request_id: int, was_there: bool) -> None:
        if not was_there:
            self.office.error(session, request_id, codes.NO_EID, f"Can't find EId with tickerId:{request_id}")

    # ---- news -------------------------------------------------------------------------------------------------
    def _send_tails(self, lines: Sequence[TickLine], tails: list[ticks.Tail]) -> None:
        for line in lines:
            number = line.number
            self.office.send_all(line.session, [head + number + tail for head, tail in tails])

    def _by_writer(self, lines: Sequence[TickLine]) -> list[tuple[ticks.TickWriter, list[TickLine]]]:
        """The lines grouped by how their ticks are written; nearly always one group."""
        if len(lines) == 1:
            return [(ticks.writer(lines[0].session.version, lines[0].delayed), list(lines))]
        groups: dict[ticks.TickWriter, list[TickLine]] = {}
        for line in lines:
            groups.setdefault(ticks.writer(line.session.version, line.delayed), []).append(line)
        return list(groups.items())

    def on_quote(self, instrument: Instrument, quote: Quote, changed: int) -> None:
        """Ticks 0 to 3, and tick-by-tick quotes."""
        if self._silence.holds(instrument, self.office.now_ms):
            return
        lines = self._ticks.of(instrument.con_id)
        if lines:
            for write, group in self._by_writer(lines):
                self._send_tails(group, write.quote(quote, changed))
        for line in self._each.of(instrument.con_id):
            if line.kind == 3:
                self.office.send(line.session, ticks.tick_by_tick_quote(line.request_id, self.office.now_ms, quote))
            elif line.kind == 4:
                self.office.send(line.session, ticks.tick_by_tick_mid(line.request_id, self.office.now_ms, quote))

    def on_trade(self, instrument: Instrument, trade: Trade) -> None:
        """Ticks 4 to 8 and 45, and tick-by-tick trades."""
        if self._silence.holds(instrument, self.office.now_ms):
            return
        con_id = instrument.con_id
        lines = self._ticks.of(con_id)
        if lines:
            self._send_trade(lines, trade, self._tally.add(instrument, trade))
        else:
            self._tally.forget(instrument)
        self._last_price[con_id] = trade.price
        for line in self._each.of(con_id):
            if line.kind <= 2:
                exchange = instrument.primary_exchange
                self.office.send(line.session, ticks.tick_by_tick_last(line.request_id, line.kind, trade, exchange))

    def _send_trade(self, lines: Sequence[TickLine], trade: Trade, day: Running) -> None:
        price_changed = self._last_price.get(day.con_id) != trade.price
        for write, group in self._by_writer(lines):
            tails = write.trade(trade, day.volume, price_changed)
            if day.is_high:
                tails.append(write.high(day.high))
            if day.is_low:
                tails.append(write.low(day.low))
            self._send_tails(group, tails)

    def on_halt(self, instrument: Instrument, halted: bool) -> None:
        """Generic tick 49."""
        self._send_tails(self._ticks.of(instrument.con_id), [ticks.generic(49, "1.0" if halted else "0.0")])

    def on_bar5(self, instrument: Instrument, bar: Bar) -> None:
        """Real-time bars, the same text for every subscriber of a kind and version."""
        lines = self._bars.of(instrument.con_id)
        if not lines or self._silence.holds(instrument, self.office.now_ms):
            return
        regular = self._hours.contains(bar.start_ms)
        tails: dict[tuple[str, bool], bytes] = {}
        for line in lines:
            if line.regular_only and not regular:
                continue
            key = (line.kind, line.session.version >= versions.HISTORY_IN_SHARES)
            tail = tails.get(key)
            if tail is None:
                shown = bar if line.kind == "TRADES" else self.venue.bar5(instrument, line.kind) or bar
                tail = tails[key] = bars.real_time_bar_tail(line.session.version, shown)
            self.office.send(line.session, line.head + tail)
