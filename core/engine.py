"""The one door into the core: an event in, commands out, the state changed. No I/O, no clock, no chance."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from core import events as e
from core.closure import finish_closing
from core.commands import Commands
from core.desk import Desk
from core.exposure import daily_pnl
from core.handlers import executions, market, orders, readback, session
from core.params import Params, SessionPlan
from core.state import State

Handler = Callable[[Desk, Any], None]

HANDLERS: dict[type[e.Event], Handler] = {
    e.BarClosed: market.on_bar_closed,
    e.QuoteChanged: market.on_quote_changed,
    e.MarketDataSeen: market.on_market_data_seen,
    e.HistoryLoaded: market.on_history_loaded,
    e.InstrumentRead: market.on_instrument_read,
    e.InstrumentMissing: market.on_instrument_missing,
    e.MarketDataRefused: market.on_market_data_refused,
    e.PredictionReceived: session.on_prediction_received,
    e.PredictionUnreadable: session.on_prediction_unreadable,
    e.PredictionSourceChanged: session.on_prediction_source_changed,
    e.OrderReported: orders.on_order_reported,
    e.OrderStatusReported: orders.on_order_status_reported,
    e.OrderErrorReported: orders.on_order_error_reported,
    e.ExecutionReported: executions.on_execution_reported,
    e.CommissionReported: executions.on_commission_reported,
    e.PositionReported: executions.on_position_reported,
    e.BrokerRead: readback.on_broker_read,
    e.AccountRead: session.on_account_read,
    e.ReplayDiffered: session.on_replay_differed,
    e.LinkChanged: session.on_link_changed,
    e.Woke: session.on_woke,
    e.FlattenRequested: session.on_flatten_requested,
    e.SuspendRequested: session.on_suspend_requested,
    e.ResumeRequested: session.on_resume_requested,
    e.StopRequested: session.on_stop_requested,
}
"""Every event has exactly one handler."""


class Engine:
    """A session's rules. The same events give the same commands, always.

    `state` continues where another engine stopped; without one the session begins anew.
    """

    def __init__(self, params: Params, plan: SessionPlan, state: State | None = None) -> None:
        self._desk = Desk(params, plan, state)

    @property
    def state(self) -> State:
        """Everything remembered: to be read and serialised, not to be changed."""
        return self._desk.state

    def step(self, event: e.Event) -> Commands:
        """Take one event in; what is to be done about it."""
        desk = self._desk
        state = desk.state
        state.step += 1
        if event.at_ms > state.now_ms:
            state.now_ms = event.at_ms
        HANDLERS[type(event)](desk, event)
        if state.closing:
            finish_closing(desk)
        if not desk.out:
            return ()
        commands, desk.out = tuple(desk.out), []
        return commands

    # --- for reading --------------------------------------------------------------------------------------------

    def position(self, ticker: str) -> int:
        """Signed shares that the session owns."""
        return self.state.ledger.position(ticker)

    def positions(self) -> dict[str, int]:
        """Signed shares by ticker, flat ones left out."""
        return dict(self.state.ledger.positions)

    def working_orders(self) -> int:
        """How many of our orders may still fill."""
        return sum(len(book.orders) for book in self.state.books.values())

    def has_working_orders(self) -> bool:
        """Whether any of our orders may still fill."""
        return self.working_orders() > 0

    def is_flat(self) -> bool:
        """Whether the session owns no shares."""
        return not self.state.ledger.positions

    def is_exited(self, tickers: tuple[str, ...] = ()) -> bool:
        """Whether these tickers (all, where none is named) have no shares, no orders and no exit under way.

        An exit ends with a read-back, one of the whole account when every foreign share has been found and sold.
        """
        if not tickers and self.state.flattens_account:
            return False
        books = [book for book in self.state.books.values() if not tickers or book.ticker in tickers]
        return all(book.exit is None and not book.orders and not book.position for book in books)

    def is_reconciled(self) -> bool:
        """Whether the broker has been read back since the link came up."""
        return self.state.reconciled

    def is_warm(self, ticker: str) -> bool:
        """Whether the ticker's ATR is ready."""
        book = self.state.books.get(ticker)
        return book is not None and book.atr.ready

    def newest_bar_end_ms(self, ticker: str) -> int | None:
        """The end of the newest bar that the ticker's indicators have seen; history is missing from there on."""
        book = self.state.books.get(ticker)
        return book.atr.newest_end_ms if book is not None else None

    @property
    def trades_closed(self) -> int:
        """How many round trips have ended."""
        return sum(note.reported is not None for book in self.state.books.values() for note in book.trades)

    def daily_pnl(self) -> Decimal:
        """Realised + unrealised − commissions in dollars; NaN when an open position cannot be valued."""
        pnl = daily_pnl(self._desk)
        return Decimal("NaN") if pnl is None else pnl
