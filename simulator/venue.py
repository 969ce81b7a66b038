"""Market, exchange and account behind ONE simulated clock: the only door the wire knows.

The wire calls `place`, `cancel`, `advance` and the queries, and hears of everything through its `VenueListener`,
synchronously and in a deterministic order.  Nothing here reads the machine's clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from simulator.account.account import Account
from simulator.account.commissions import CommissionPlan
from simulator.account.values import account_values
from simulator.clock import SimulatedClock, eastern, eastern_ms
from simulator.doubts import Doubts
from simulator.exchange.auctions import run_closing, run_opening
from simulator.exchange.exchange import Exchange
from simulator.exchange.faults import FaultHooks
from simulator.exchange.floor import Floor, Touch
from simulator.exchange.orders import OrderTable
from simulator.exchange.reports import Reports
from simulator.listener import VenueListener as VenueListener
from simulator.market.bars import day_bars
from simulator.market.calendar import session
from simulator.market.day import MarketDay
from simulator.market.feed import Second
from simulator.market.history import History
from simulator.market.hours import TradingHours
from simulator.market.source import Market
from simulator.market.tape import FIRST_SECOND
from simulator.model import (
    EVERY_EXECUTION,
    UNITS_PER_DOLLAR,
    AccountValue,
    Bar,
    BaseCurrency,
    CommissionReport,
    DayFigures,
    Execution,
    ExecutionFilter,
    Instrument,
    Money,
    Order,
    OrderRequest,
    PnL,
    PnLSingle,
    PositionRow,
    Quote,
    Trade,
)
from simulator.timers import Phase, Timers

_FIRST_PERM_ID = 600_745_656


@dataclass(frozen=True, slots=True)
class VenueOptions:
    """What a venue is opened with, besides its market. `start_ms` is the first simulated moment, a whole second."""

    start_ms: int
    seed: int = 1
    account: str = "DU1234567"
    cash: Money = 1_000_000 * UNITS_PER_DOLLAR
    doubts: Doubts = field(default_factory=Doubts)
    plan: CommissionPlan = field(default_factory=CommissionPlan)
    cash_only: bool = False
    base: BaseCurrency = field(default_factory=BaseCurrency)


class Venue:
    """One market, one exchange and one account at one simulated moment."""

    def __init__(self, market: Market, options: VenueOptions) -> None:
        self.market = market
        self.options = options
        self.account = options.account
        self.clock = SimulatedClock(options.start_ms - options.start_ms % 1000)
        self.timers = Timers()
        self._hours = TradingHours(self.clock.now_ms)
        self._history = History(market)
        self._touches = {item.con_id: Touch() for item in market.instruments}
        self._by_symbol = {item.symbol: item for item in market.instruments}
        self._by_con_id = {item.con_id: item for item in market.instruments}
        self._reports = Reports(options.doubts)
        self._account = Account(
            options.account,
            options.cash,
            market.instruments,
            lambda item: self._touches[item.con_id].mark(),
            options.plan,
            options.cash_only,
            options.base,
        )
        self._floor = Floor(
            clock=self.clock,
            hours=self._hours,
            doubts=options.doubts,
            reports=self._reports,
            orders=OrderTable(_FIRST_PERM_ID + options.seed % 1000),
            timers=self.timers,
            account=self._account,
            touches=self._touches,
            random=Random(options.seed),
            exec_base=self.clock.now_ms // 1000,
        )
        self._exchange = Exchange(self._floor)
        self.faults = FaultHooks(self._floor, self._exchange)
        self._today = self.clock.eastern().date()
        self._day = self._open_day()
        self._day.stand_at(self.clock.now_ms)

    @property
    def listeners(self) -> list[VenueListener]:
        """Called in this order; append to listen."""
        return self._reports.listeners

    @property
    def doubts(self) -> Doubts:
        """The switches in force; setting them takes effect at once."""
        return self._floor.doubts

    @doubts.setter
    def doubts(self, doubts: Doubts) -> None:
        self._floor.doubts = self._reports.doubts = doubts

    # ---- instruments and market -------------------------------------------------------------------------------
    def instruments(self) -> Sequence[Instrument]:
        """Every instrument, in a fixed order."""
        return self.market.instruments

    def find(self, *, symbol: str = "", con_id: int = 0) -> Instrument | None:
        """The instrument with this conId (if not 0), else with this symbol; None when unknown or contradictory."""
        found = self._by_con_id.get(con_id) if con_id else self._by_symbol.get(symbol.upper())
        return None if found is not None and symbol and found.symbol != symbol.upper() else found

    def quote(self, instrument: Instrument) -> Quote:
        """The present touch; sizes and prices 0 when there is none yet."""
        return self._touches[instrument.con_id].quote

    def last_trade(self, instrument: Instrument) -> Trade | None:
        """The latest trade up to now, from earlier days too."""
        return self._touches[instrument.con_id].last

    def day_figures(self, instrument: Instrument) -> DayFigures:
        """Open, high, low and volume of the present day so far, and the regular close before."""
        return self._day.figures(instrument, self.clock.now_ms)

    def is_halted(self, instrument: Instrument) -> bool:
        """Whether trading is halted now."""
        return self._touches[instrument.con_id].halted

    def shortable_shares(self, instrument: Instrument) -> int:
        """Shares that can be borrowed (tick 89; tick 46 is 3.0 above 1000, 0 at none)."""
        return self._touches[instrument.con_id].shortable

    def history(
        self,
        instrument: Instrument,
        end_ms: int,
        duration_seconds: int,
        bar_seconds: int,
        what_to_show: str,
        use_rth: bool,
        duration_days: int = 0,
    ) -> list[Bar]:
        """Bars that start in [end - duration, end), never later than now; the running bar comes last, incomplete.

        `duration_days` > 0 counts trading days instead (IB's D, W, M, Y). `bar_seconds` 86,400 are daily bars, larger
        ones weeks (604,800) and months (2,592,000). `what_to_show`: TRADES, BID, ASK, MIDPOINT. ValueError otherwise.
        """
        end_ms = min(end_ms, self.clock.now_ms)
        shown = (bar_seconds, what_to_show, use_rth)
        if duration_days:
            return self._history.over_days(instrument, duration_days, end_ms, *shown)
        return self._history.over_seconds(instrument, end_ms - 1000 * duration_seconds, end_ms, *shown)

    def bar5(self, instrument: Instrument, what_to_show: str) -> Bar | None:
        """The 5-second bar that ends now, for real-time bars of BID, ASK, MIDPOINT; None when there is none.

        ValueError when now is no multiple of 5 s.
        """
        now_ms = self.clock.now_ms
        if now_ms % 5000:
            raise ValueError(f"now_ms={now_ms}: allowed is a multiple of 5000")
        tape = self._day.tapes.get(instrument)
        if tape is None:
            return None
        end = (now_ms - tape.row_ms(0)) // 1000 + FIRST_SECOND
        return next(iter(day_bars(tape, what_to_show, 5, end - 5, end)), None)

    def schedule(self, days: int) -> list[tuple[str, int, int, int, int]]:
        """(YYYYMMDD, trading start, trading end, regular start and end; epoch ms, 0 when closed) from today."""
        rows = []
        for offset in range(days):
            day = eastern(self.clock.now_ms + offset * 86_400_000).date()
            hours = session(day)
            edges = (
                (hours.extended_open, hours.extended_close, hours.regular_open, hours.regular_close) if hours else ()
            )
            moments = [eastern_ms(day, second) for second in edges] or [0, 0, 0, 0]
            rows.append((f"{day:%Y%m%d}", moments[0], moments[1], moments[2], moments[3]))
        return rows

    def head_ms(self, instrument: Instrument) -> int:
        """The earliest moment with history."""
        return eastern_ms(self.market.first_day(), FIRST_SECOND)

    # ---- orders -----------------------------------------------------------------------------------------------
    def place(self, client_id: int, request: OrderRequest) -> None:
        """A new order, or a modification (same client and order id); every answer comes through the listeners."""
        self._exchange.place(client_id, request)

    def cancel(self, client_id: int, order_id: int) -> None:
        """Cancel one order of this client; refusals (10147, 10148, ...) come through the listeners."""
        self._exchange.cancel(client_id, order_id)

    def global_cancel(self) -> None:
        """Cancel every order of every client, manual ones too."""
        self._exchange.global_cancel()

    def open_orders(self, client_id: int | None = None) -> list[Order]:
        """Live, transmitted orders of one client (None: of all, manual ones too), oldest first."""
        live = [order for order in self._floor.orders.live() if order.transmitted]
        return live if client_id is None else [order for order in live if order.client_id == client_id]

    def completed_orders(self) -> list[Order]:
        """Transmitted orders done today, oldest first."""
        midnight_ms = eastern_ms(self.clock.eastern().date())
        return [
            order
            for order in self._floor.orders.done()
            if order.transmitted and (order.completed_ms or 0) >= midnight_ms
        ]

    def executions(self, wanted: ExecutionFilter = EVERY_EXECUTION) -> list[tuple[Execution, CommissionReport | None]]:
        """Executions since midnight (New York) with their commission reports (None: not reported yet)."""
        since_ms = max(wanted.since_ms, eastern_ms(self.clock.eastern().date()))
        return [
            (execution, self._floor.commissions.get(execution.exec_id))
            for execution in self._floor.executions
            if execution.time_ms >= since_ms and _wanted(wanted, execution)
        ]

    def next_order_id(self, client_id: int) -> int:
        """Higher than every order id this client has used (never moves backwards)."""
        return self._floor.orders.next_order_id(client_id)

    # ---- account ----------------------------------------------------------------------------------------------
    def positions(self) -> list[PositionRow]:
        """Every position that is not flat, and those that were traded today."""
        return self._account.rows()

    def account_values(self) -> list[AccountValue]:
        """Every account value at present marks."""
        return account_values(self._account)

    def pnl(self) -> PnL:
        """P&L of the whole account."""
        return self._account.pnl()

    def pnl_single(self, con_id: int) -> PnLSingle:
        """P&L of one instrument."""
        return self._account.pnl_single(con_id)

    def halt(self, instrument: Instrument, seconds: int) -> None:
        """Halt trading from now (a fault): quotes and trades stand still, nothing matches."""
        self._day.halt(instrument, self.clock.now_ms, seconds)
        self._set_halted(instrument, True)

    def shock(self, instrument: Instrument, percent: float) -> None:
        """Let the price jump by so many per cent, for the rest of the day (a fault)."""
        self._day.shock(instrument, self.clock.now_ms, percent)

    def thin(self, instrument: Instrument, shares: int, seconds: int) -> None:
        """Show no more than so many shares at the touch (a fault)."""
        self._day.thin(instrument, self.clock.now_ms, shares, seconds)
        touch = self._touches[instrument.con_id]
        bid, ask, bid_size, ask_size = touch.quote
        touch.renew(Quote(bid, ask, min(bid_size, shares), min(ask_size, shares)))

    def _set_halted(self, instrument: Instrument, halted: bool) -> None:
        touch = self._touches[instrument.con_id]
        if touch.halted is not halted:
            touch.halted = halted
            for listener in self._reports.listeners:
                listener.on_halt(instrument, halted)

    # ---- time -------------------------------------------------------------------------------------------------
    def advance(self, to_ms: int) -> None:
        """Run whole simulated seconds up to `to_ms`: tape, timers, matching, 5-s bars, the end of the day."""
        while (following := self.next_event_ms()) <= to_ms:
            self._tick(following)
        self.clock.now_ms = max(self.clock.now_ms, to_ms - to_ms % 1000)

    def next_event_ms(self) -> int:
        """The next whole second in which anything can happen: nights and holidays are passed over."""
        now_ms = self.clock.now_ms
        if self._hours.extended_open_ms <= now_ms < self._hours.extended_close_ms:
            return now_ms + 1000
        opening_ms = self._hours.next_open_ms(now_ms, outside_rth=True)
        due_ms = self.timers.next_ms()
        return opening_ms if due_ms is None else max(now_ms + 1000, min(opening_ms, due_ms))

    def _tick(self, now_ms: int) -> None:
        self.clock.now_ms = now_ms
        self._turn_day(now_ms)
        second = self._day.second_ended(now_ms)
        if second is not None:
            self._show(second)
        self.timers.run(now_ms, Phase.BEFORE_MATCHING)
        if second is not None:
            self._exchange.on_second(second.trades)
            for instrument, price in self._day.opening_prices(second, now_ms):
                run_opening(self._floor, instrument, price)
            for listener in self._reports.listeners:
                for instrument, bar in second.bars:
                    listener.on_bar5(instrument, bar)
        self.timers.run(now_ms, Phase.AFTER_MATCHING)

    def _turn_day(self, now_ms: int) -> None:
        """A new session's hours, tape and day P&L; the P&L's day begins at midnight."""
        if now_ms > self._hours.extended_close_ms:
            self._hours.move(now_ms)
            self._day = self._open_day()
        today = eastern(now_ms).date()
        if today != self._today:
            self._today = today
            self._account.start_day()

    def _open_day(self) -> MarketDay:
        hours = self._hours
        self.timers.at(hours.regular_open_ms, self._exchange.on_bell)
        self.timers.at(hours.extended_open_ms, self._exchange.on_bell)
        self.timers.at(hours.regular_close_ms, self._close_regular, Phase.AUCTION)
        self.timers.at(hours.extended_close_ms, self._exchange.on_bell, Phase.AFTER_MATCHING)
        return MarketDay(self.market, hours.session, self._touches)

    def _close_regular(self) -> None:
        self._floor.in_matching = True
        for instrument in self.market.instruments:
            run_closing(self._floor, instrument, self._day.closing_price(instrument))
        self._floor.in_matching = False
        self.timers.at(self.clock.now_ms, self._exchange.on_bell, Phase.AFTER_MATCHING)

    def _show(self, second: Second) -> None:
        """Move the touches and tell of it, instrument by instrument as the tape has them."""
        listeners = self._reports.listeners
        for instrument, halted in second.halts:
            self._set_halted(instrument, halted)
        for instrument, quote, changed in second.quotes:
            self._touches[instrument.con_id].renew(quote)
            if changed:
                for listener in listeners:
                    listener.on_quote(instrument, quote, changed)
        for instrument, trade in second.trades:
            self._touches[instrument.con_id].last = trade
            for listener in listeners:
                listener.on_trade(instrument, trade)


def _wanted(wanted: ExecutionFilter, execution: Execution) -> bool:
    instrument = execution.instrument
    pairs = (
        (wanted.client_id, execution.client_id),
        (wanted.account, execution.account),
        (wanted.symbol, instrument.symbol),
        (wanted.sec_type, instrument.sec_type),
        (wanted.exchange, execution.exchange),
        (wanted.side, "BUY" if execution.side == "BOT" else "SELL"),
    )
    return all(not filter_value or filter_value == value for filter_value, value in pairs)
