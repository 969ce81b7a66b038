"""Market, exchange and account behind ONE simulated clock: the only door the wire knows.

The wire calls `place`, `cancel`, `advance` and the queries, and hears of everything through its `VenueListener`,
synchronously and in a deterministic order.  Nothing here reads the machine's clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from simulator.clock import SimulatedClock
from simulator.model import (
    AccountValue,
    Bar,
    CommissionReport,
    DayFigures,
    Execution,
    ExecutionFilter,
    Instrument,
    Order,
    OrderRequest,
    PnL,
    PnLSingle,
    PositionRow,
    Price,
    Quote,
    Trade,
)


class VenueListener(Protocol):
    """What the venue tells. Called during `place`, `cancel`, `advance` and the hooks; must not call back into them."""

    def on_order(self, order: Order) -> None:
        """An openOrder echo is due (also the one answer to a whatIf: `order.request.what_if`, `order.margins`)."""

    def on_order_status(self, order: Order) -> None:
        """An orderStatus is due. Always after an on_order of the same state; duplicates are wanted."""

    def on_execution(self, execution: Execution) -> None:
        """A fill, or the correction of one."""

    def on_commission(self, report: CommissionReport) -> None:
        """Always after its execution; late or never when a fault says so."""

    def on_order_error(self, client_id: int, order_id: int, code: int, text: str) -> None:
        """An error or warning for one order id of one client."""

    def on_quote(self, instrument: Instrument, quote: Quote, changed: int) -> None:
        """The touch changed; `changed` is a union of the bits BID, ASK, BID_SIZE, ASK_SIZE."""

    def on_trade(self, instrument: Instrument, trade: Trade) -> None:
        """Something traded in the second that has just ended."""

    def on_bar5(self, instrument: Instrument, bar: Bar) -> None:
        """A 5-second TRADES bar is complete (at :00, :05, ...; all hours in which the tape runs; also without trades)."""

    def on_halt(self, instrument: Instrument, halted: bool) -> None:
        """Trading of the instrument was halted or resumed (generic tick 49)."""

    def on_position(self, row: PositionRow) -> None:
        """A position changed (also to 0)."""

    def on_account(self) -> None:
        """Cash or positions changed: account values, portfolio and P&L are worth reading again."""


class Venue:
    """One market, one exchange and one account at one simulated moment."""

    clock: SimulatedClock
    listeners: list[VenueListener]
    account: str

    # ---- instruments and market -------------------------------------------------------------------------------
    def instruments(self) -> Sequence[Instrument]:
        """Every instrument, in a fixed order."""
        raise NotImplementedError

    def find(self, *, symbol: str = "", con_id: int = 0) -> Instrument | None:
        """The instrument with this conId (if not 0), else with this symbol; None when unknown or contradictory."""
        raise NotImplementedError

    def quote(self, instrument: Instrument) -> Quote:
        """The present touch; sizes and prices 0 when there is none yet."""
        raise NotImplementedError

    def last_trade(self, instrument: Instrument) -> Trade | None:
        """The latest trade up to now, from earlier days too."""
        raise NotImplementedError

    def day_figures(self, instrument: Instrument) -> DayFigures:
        """Open, high, low and volume of the present day so far, and the regular close before."""
        raise NotImplementedError

    def is_halted(self, instrument: Instrument) -> bool:
        """Whether trading is halted now."""
        raise NotImplementedError

    def shortable_shares(self, instrument: Instrument) -> int:
        """Shares that can be borrowed (tick 89; tick 46 is 3.0 above 1000, 0 at none)."""
        raise NotImplementedError

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
        raise NotImplementedError

    def bar5(self, instrument: Instrument, what_to_show: str) -> Bar:
        """The 5-second bar that ends now (now must be a multiple of 5 s): for real-time bars of BID, ASK, MIDPOINT."""
        raise NotImplementedError

    def schedule(self, days: int) -> list[tuple[str, int, int, int, int]]:
        """(YYYYMMDD, trading start, trading end, regular start, regular end; epoch ms, zeros when closed) from today."""
        raise NotImplementedError

    def head_ms(self, instrument: Instrument) -> int:
        """The earliest moment with history."""
        raise NotImplementedError

    # ---- orders -----------------------------------------------------------------------------------------------
    def place(self, client_id: int, request: OrderRequest) -> None:
        """A new order, or a modification (same client and order id); every answer comes through the listeners."""
        raise NotImplementedError

    def cancel(self, client_id: int, order_id: int) -> None:
        """Cancel one order of this client; refusals (10147, 10148, ...) come through the listeners."""
        raise NotImplementedError

    def global_cancel(self) -> None:
        """Cancel every order of every client, manual ones too."""
        raise NotImplementedError

    def open_orders(self, client_id: int | None = None) -> list[Order]:
        """Live, transmitted orders of one client (None: of all, manual ones too), oldest first."""
        raise NotImplementedError

    def completed_orders(self) -> list[Order]:
        """Orders done today, oldest first."""
        raise NotImplementedError

    def executions(self, wanted: ExecutionFilter = ExecutionFilter()) -> list[tuple[Execution, CommissionReport | None]]:
        """Executions since midnight (New York) with their commission reports (None: not reported yet)."""
        raise NotImplementedError

    def next_order_id(self, client_id: int) -> int:
        """Higher than every order id this client has used (never moves backwards)."""
        raise NotImplementedError

    # ---- account ----------------------------------------------------------------------------------------------
    def positions(self) -> list[PositionRow]:
        """Every position that is not flat, and those that were traded today."""
        raise NotImplementedError

    def account_values(self) -> list[AccountValue]:
        """Every account value at present marks."""
        raise NotImplementedError

    def pnl(self) -> PnL:
        """P&L of the whole account."""
        raise NotImplementedError

    def pnl_single(self, con_id: int) -> PnLSingle:
        """P&L of one instrument."""
        raise NotImplementedError

    # ---- time -------------------------------------------------------------------------------------------------
    def advance(self, to_ms: int) -> None:
        """Run whole simulated seconds up to `to_ms`: tape, timers, matching, 5-s bars, the end of the day."""
        raise NotImplementedError

    def next_event_ms(self) -> int:
        """The next whole second in which anything can happen."""
        raise NotImplementedError

    # ---- hooks of the fault script ----------------------------------------------------------------------------
    def manual_trade(self, instrument: Instrument, quantity: int, price: Price | None = None) -> None:
        """A trade by hand in TWS (client 0, order id 0): signed shares, at `price` or at the touch, at once."""
        raise NotImplementedError

    def manual_order(self, request: OrderRequest) -> Order:
        """An order by hand in TWS (client 0, order id 0)."""
        raise NotImplementedError

    def reject_next(self, code: int, text: str, order_type: str = "", count: int = 1) -> None:
        """Refuse the next `count` orders (of this type; empty: any; `child`, `parent`: by place in a bracket)."""
        raise NotImplementedError

    def correct_execution(self, exec_id: str, price: Price) -> None:
        """Report and book a corrected price for an execution (empty id: the latest one)."""
        raise NotImplementedError

    def delay_commissions(self, seconds: int | None, count: int = 1, amount: int | None = None) -> None:
        """The next `count` commission reports come `seconds` late (None: never); `amount` replaces what they say."""
        raise NotImplementedError

    def overfill_next(self, count: int = 1) -> None:
        """The next `count` fills in groups of ocaType 3 fill a sibling as well."""
        raise NotImplementedError

    def halt(self, instrument: Instrument, seconds: int) -> None:
        """Halt trading from now: quotes and trades stand still, nothing matches."""
        raise NotImplementedError

    def set_shortable(self, instrument: Instrument, shares: int) -> None:
        """Change what can be borrowed."""
        raise NotImplementedError

    def forget_orders(self, since_ms: int) -> None:
        """A restart without order memory: orders placed at or after `since_ms` vanish without a word."""
        raise NotImplementedError
