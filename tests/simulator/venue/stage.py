"""A venue on a market written by hand, and a listener that writes down what it hears."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

from simulator.clock import eastern_ms, seconds_of_day
from simulator.doubts import Doubts
from simulator.market.recorded import RecordedMarket
from simulator.model import (
    Bar,
    CommissionReport,
    Execution,
    Instrument,
    Order,
    OrderRequest,
    PositionRow,
    Quote,
    Trade,
    dollars,
    units,
)
from simulator.venue import Venue, VenueOptions

DAY = date(2024, 11, 27)
HALF_DAY = date(2024, 11, 29)

Moment = tuple[float, float, int, int, float | None]
"""bid, ask, bid size, ask size, last (None: no trade then)."""


class Ear:
    """Hears everything; `words` are short texts in the order heard."""

    def __init__(self) -> None:
        self.words: list[str] = []
        self.executions: list[Execution] = []
        self.commissions: list[CommissionReport] = []
        self.margins: list[Order] = []
        self.bars: list[tuple[str, Bar]] = []
        self.quotes: list[tuple[str, Quote, int]] = []
        self.trades: list[tuple[str, Trade]] = []
        self.positions: list[tuple[str, int]] = []

    def on_order(self, order: Order) -> None:
        if order.request.what_if:
            self.margins.append(replace(order))
        self.words.append(f"open {order.order_id} {order.status}")

    def on_order_status(self, order: Order) -> None:
        held = f" ({order.why_held})" if order.why_held else ""
        self.words.append(f"status {order.order_id} {order.status} {order.filled}/{order.remaining}{held}")

    def on_execution(self, execution: Execution) -> None:
        self.executions.append(execution)
        side, shares, price = execution.side, execution.shares, dollars(execution.price)
        self.words.append(f"exec {execution.order_id} {side} {shares} @ {price}")

    def on_commission(self, report: CommissionReport) -> None:
        self.commissions.append(report)
        self.words.append(f"commission {dollars(report.commission)}")

    def on_order_error(self, client_id: int, order_id: int, code: int, text: str) -> None:
        self.words.append(f"error {order_id} {code}")

    def on_quote(self, instrument: Instrument, quote: Quote, changed: int) -> None:
        self.quotes.append((instrument.symbol, quote, changed))

    def on_trade(self, instrument: Instrument, trade: Trade) -> None:
        self.trades.append((instrument.symbol, trade))

    def on_bar5(self, instrument: Instrument, bar: Bar) -> None:
        self.bars.append((instrument.symbol, bar))

    def on_halt(self, instrument: Instrument, halted: bool) -> None:
        self.words.append(f"halt {instrument.symbol} {halted}")

    def on_position(self, row: PositionRow) -> None:
        self.positions.append((row.instrument.symbol, row.quantity))

    def on_account(self) -> None:
        return

    def take(self) -> list[str]:
        """The words since the last take."""
        words, self.words = self.words, []
        return words


class Stage:
    """One venue, its ear, and short ways to act on it as client 1."""

    def __init__(self, venue: Venue) -> None:
        self.venue = venue
        self.ear = Ear()
        venue.listeners.append(self.ear)
        self.day = venue.clock.eastern().date()

    def until(self, text: str, day: date | None = None) -> list[str]:
        """Advance to a New York time; what was heard."""
        self.venue.advance(eastern_ms(day or self.day, seconds_of_day(text)))
        return self.ear.take()

    def place(self, order_id: int, action: str, quantity: int, kind: str = "MKT", **fields: object) -> list[str]:
        """Place or modify; `limit`, `stop` in dollars, `after`, `until` as New York times; what was heard."""
        client = int(str(fields.pop("client", 1)))
        self.venue.place(client, self.request(order_id, action, quantity, kind, **fields))
        return self.ear.take()

    def request(self, order_id: int, action: str, quantity: int, kind: str, **fields: object) -> OrderRequest:
        """The request that `place` sends."""
        symbol = str(fields.pop("symbol", "AAA"))
        instrument = self.venue.find(symbol=symbol)
        assert instrument is not None
        if "limit" in fields:
            fields["limit_price"] = units(str(fields.pop("limit")))
        if "stop" in fields:
            fields["aux_price"] = units(str(fields.pop("stop")))
        for short, name in (("after", "good_after_ms"), ("till", "good_till_ms")):
            if short in fields:
                fields[name] = eastern_ms(self.day, seconds_of_day(str(fields.pop(short))))
        fields.setdefault("tif", "DAY")
        return OrderRequest(order_id, instrument, action, Decimal(quantity), kind, **fields)

    def bracket(
        self, first_id: int, action: str, quantity: int, stop: float, target: float, **fields: object
    ) -> list[str]:
        """Parent, stop, target; transmitted with the last. `fields` are the parent's, `symbol` everyone's."""
        away = "SELL" if action == "BUY" else "BUY"
        shared = {"symbol": fields.get("symbol", "AAA"), "parent_id": first_id}
        heard = self.place(first_id, action, quantity, **{"kind": "MKT", **fields, "transmit": False})
        heard += self.place(first_id + 1, away, quantity, "STP", stop=stop, transmit=False, **shared)
        return heard + self.place(first_id + 2, away, quantity, "LMT", limit=target, **shared)

    def cancel(self, order_id: int, client: int = 1) -> list[str]:
        """Cancel by number; what was heard."""
        self.venue.cancel(client, order_id)
        return self.ear.take()

    def position(self, symbol: str = "AAA") -> int:
        """Signed shares."""
        return sum(row.quantity for row in self.venue.positions() if row.instrument.symbol == symbol)

    def live(self) -> list[int]:
        """Order ids of live orders."""
        return [order.order_id for order in self.venue.open_orders()]


def stage(
    folder: Path,
    script: Mapping[str, Moment],
    *,
    start: str = "10:00:00",
    day: date = DAY,
    doubts: Doubts | None = None,
    **options: object,
) -> Stage:
    """A venue on one ticker, AAA, whose touch and trades are given by New York time of `day`."""
    return staged(
        folder, {(day, time): moment for time, moment in script.items()}, start=start, day=day, doubts=doubts, **options
    )


def staged(
    folder: Path,
    script: Mapping[tuple[date, str], Moment],
    *,
    start: str = "10:00:00",
    day: date = DAY,
    doubts: Doubts | None = None,
    **options: object,
) -> Stage:
    """The same over several days."""
    market = RecordedMarket("csv", written(folder, script), day)
    chosen = VenueOptions(start_ms=eastern_ms(day, seconds_of_day(start)), doubts=doubts or Doubts())
    return Stage(Venue(market, replace(chosen, **options)))


def written(folder: Path, script: Mapping[tuple[date, str], Moment], symbol: str = "AAA") -> Path:
    """The script as a recording: every moment a quote, with a trade of 100 shares when it has a last price."""
    path = folder / f"{symbol}.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["time_ms", "symbol", "bid", "ask", "bid_size", "ask_size", "price", "size"])
        for (day, time), (bid, ask, bid_size, ask_size, last) in script.items():
            traded = ("", "") if last is None else (last, 100)
            writer.writerow([eastern_ms(day, seconds_of_day(time)), symbol, bid, ask, bid_size, ask_size, *traded])
    return path


CALM: dict[str, Moment] = {"09:59:00": (10.00, 10.02, 500, 400, 10.01)}
"""One quote and one trade before ten o'clock, then nothing moves."""
