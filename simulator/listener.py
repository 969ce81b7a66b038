"""What the venue tells whoever listens: the wire and tests."""

from __future__ import annotations

from simulator.model import Bar, CommissionReport, Execution, Instrument, Order, PositionRow, Quote, Trade


class VenueListener:
    """What the venue tells; what a listener does not override it ignores.

    Called during `place`, `cancel`, `advance` and the hooks; must not call back into them.
    """

    def on_order(self, order: Order) -> None:
        """An openOrder echo is due (also the one answer to a whatIf: `order.request.what_if`, `order.margins`)."""

    def on_order_status(self, order: Order) -> None:
        """An orderStatus is due; duplicates are wanted."""

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
        """A 5-second TRADES bar is complete (at :00, :05, ...; extended hours too; also without trades)."""

    def on_halt(self, instrument: Instrument, halted: bool) -> None:
        """Trading of the instrument was halted or resumed (generic tick 49)."""

    def on_position(self, row: PositionRow) -> None:
        """A position changed (also to 0)."""

    def on_account(self) -> None:
        """Cash or positions changed: account values, portfolio and P&L are worth reading again."""
