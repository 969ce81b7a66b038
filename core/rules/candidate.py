"""A prediction on its way through the rules: what it wants, at what price and size, and the figures that decided."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from core.desk import Desk
from core.exposure import committed_shares, committed_value, mark_of
from core.indicators import correlation_of
from core.market import Prediction
from core.money import ZERO, from_float
from core.params import SizeUnit, TickerParams
from core.pricing import increments_of, is_price, leg_distances, price_for, spread_of
from core.sizing import Exposure, Sized, correlation_adjusted, shares_for
from core.state import Book
from core.vocabulary import Outcome, Refusal, Side

SIDES = {"BUY": Side.LONG, "SELL": Side.SHORT, "SHORT": Side.SHORT}
"""What the signals want; every other word wants nothing."""


@dataclass(slots=True)
class Plan:
    """What acting on the prediction would mean. Prices and distances in dollars."""

    outcome: Outcome
    price: Decimal
    spread: Decimal
    sized: Sized | Refusal
    shares: int  # to trade; 0 where the size was refused
    shares_after: int  # of the ticker once carried out, signed; a reversal starts from flat
    value_after: Decimal  # the same in dollars at the decision price
    atr: float  # 0 while it is not ready, and so are the distances
    stop_distance: Decimal
    target_distance: Decimal
    stop_price: Decimal = ZERO  # on the increments, as all prices of orders; set by the last rule, which needs them
    target_price: Decimal = ZERO

    @property
    def capital_efficiency(self) -> float | None:
        """Shares × price / dollars; None where the size was refused."""
        return self.sized.capital_efficiency if isinstance(self.sized, Sized) else None


@dataclass(slots=True)
class Candidate:
    """What the rules see."""

    desk: Desk
    prediction: Prediction
    book: Book
    params: TickerParams
    side: Side
    outcome: Outcome  # what acting on it would be
    plan: Plan | None = None  # None while there is no usable price
    values: dict[str, str] = field(default_factory=dict)
    _others: list[tuple[Book, Decimal]] | None = None

    def others(self) -> list[tuple[Book, Decimal]]:
        """The other tickers in which something is held or being entered, with its signed dollars."""
        if self._others is None:
            books = [book for book in self.desk.state.books.values() if book.position or book.orders]
            valued = [(book, committed_value(self.desk, book)) for book in books if book is not self.book]
            self._others = [(book, value) for book, value in valued if value]
        return self._others

    def note(self, name: str, figure: object) -> None:
        """Keep a figure for the decision's record."""
        self.values[name] = str(figure)


def outcome_of(book: Book, side: Side) -> Outcome:
    """Enter when flat, add on the same side, else turn around."""
    if book.position == 0:
        return Outcome.ENTER
    return Outcome.SCALE_IN if book.position * side.sign > 0 else Outcome.REVERSE


def make_plan(candidate: Candidate) -> Plan | None:
    """Price and size the candidate; None without a usable price."""
    book, params, desk = candidate.book, candidate.params, candidate.desk
    raw = price_for(book, candidate.side.entry_action)
    if not is_price(raw):
        return None
    price, spread = from_float(raw), spread_of(book)
    stop = target = ZERO
    if book.atr.value is not None:
        multiples = (params.atr_stop_multiplier, params.atr_target_multiplier)
        stop, target = leg_distances(multiples, book.atr.value, price, spread, increments_of(book))
    size, unit = _size(candidate, price)
    sized = shares_for(size, unit, price, desk.params.max_shares_per_order)
    shares = sized.shares if isinstance(sized, Sized) else 0
    kept = 0 if candidate.outcome is Outcome.REVERSE else committed_shares(book)
    after = kept + candidate.side.sign * shares
    atr = book.atr.value or 0.0
    return Plan(candidate.outcome, price, spread, sized, shares, after, after * price, atr, stop, target)


def _size(candidate: Candidate, price: Decimal) -> tuple[Decimal, SizeUnit]:
    """The ticker's size, halved for an add, adjusted for what moves alike where that is switched on."""
    size, unit = candidate.params.size, candidate.params.size_unit
    if candidate.outcome is Outcome.SCALE_IN:
        size *= candidate.desk.params.scale_in_size_factor
    if not candidate.desk.params.correlation_sizing:
        return size, unit
    dollars = size if unit is SizeUnit.DOLLARS else size * price
    return correlation_adjusted(dollars, candidate.side, _exposures(candidate)), SizeUnit.DOLLARS


def _exposures(candidate: Candidate) -> list[Exposure]:
    own = candidate.book
    exposures = []
    for book in candidate.desk.state.books.values():
        if book is own or book.position == 0 or own.returns is None or book.returns is None:
            continue
        side = Side.LONG if book.position > 0 else Side.SHORT
        dollars = abs(book.position) * mark_of(candidate.desk, book)
        exposures.append(Exposure(side, dollars, correlation_of(own.returns, book.returns)))
    return exposures
