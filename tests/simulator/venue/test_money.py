"""Money balances: random days of orders against sums made from nothing but the reports a client hears."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from functools import lru_cache

from hypothesis import given, note, settings
from hypothesis import strategies as st

from simulator.account.commissions import CommissionPlan
from simulator.clock import eastern_ms, seconds_of_day
from simulator.doubts import Doubts
from simulator.exchange.matching import NOT_KNOWN_YET
from simulator.market.profiles import PROFILES
from simulator.market.synthetic import SyntheticMarket
from simulator.model import CENT, UNITS_PER_DOLLAR, CommissionReport, Execution
from simulator.venue import Venue, VenueOptions
from tests.simulator.venue.stage import Stage

DAY = date(2024, 11, 27)
CASH = 1_000_000 * UNITS_PER_DOLLAR
TICKERS = ("CVNA", "SOXL")


@lru_cache(maxsize=1)
def _market() -> SyntheticMarket:
    return SyntheticMarket(DAY, 3, {symbol: PROFILES[symbol] for symbol in TICKERS})


@dataclass
class Books:
    """A second set of books, from executions and commission reports alone, in exact fractions."""

    cash: int = CASH
    commissions: int = 0
    quantity: dict[str, int] = field(default_factory=lambda: dict.fromkeys(TICKERS, 0))
    cost: dict[str, Fraction] = field(default_factory=lambda: dict.fromkeys(TICKERS, Fraction(0)))
    realized: Fraction = Fraction(0)

    def add(self, symbol: str, shares: int, price: int, commission: int) -> None:
        """Average cost, commissions inside the cost of opening and the result of closing."""
        self.cash -= shares * price + commission
        self.commissions += commission
        held = self.quantity[symbol]
        closing = 0 if held * shares >= 0 else max(-abs(held), -abs(shares)) * (1 if held > 0 else -1)
        if closing:
            basis = self.cost[symbol] * abs(closing) / abs(held)
            fee = Fraction(commission * abs(closing), abs(shares))
            self.realized += -closing * price - basis - fee
            self.cost[symbol] -= basis
        self.cost[symbol] += (shares - closing) * price + Fraction(
            commission * (abs(shares) - abs(closing)), abs(shares)
        )
        self.quantity[symbol] += shares


sides = st.sampled_from(["BUY", "SELL"])
symbols = st.sampled_from(TICKERS)
shares = st.integers(1, 900)
cents = st.integers(-60, 60)
kinds = st.sampled_from(["MKT", "LMT", "STP", "STP LMT", "TRAIL"])
tifs = st.sampled_from(["DAY", "GTC", "IOC", "FOK"])
single = st.tuples(st.just("single"), symbols, sides, shares, kinds, cents, tifs)
bracket = st.tuples(st.just("bracket"), symbols, sides, shares, st.integers(5, 80), st.integers(5, 80), tifs)
group = st.tuples(st.just("group"), symbols, sides, shares, st.integers(1, 3), st.integers(1, 40), st.integers(1, 40))
change = st.tuples(st.just("change"), st.integers(0, 5), shares, cents)
cancelled = st.tuples(st.just("cancel"), st.integers(0, 5))
by_hand = st.tuples(st.just("hand"), symbols, st.integers(-500, 500).filter(bool))
wait = st.tuples(st.just("wait"), st.integers(1, 400))
correction = st.tuples(st.just("correction"), st.integers(0, 50), st.integers(-300, 300))
charge = st.tuples(st.just("charge"), st.sampled_from([NOT_KNOWN_YET, -2_500, 0, 77_777]), st.integers(0, 90))
steps = st.lists(
    st.one_of(single, bracket, group, change, cancelled, by_hand, wait, wait, correction, charge),
    min_size=1,
    max_size=25,
)


class Trader:
    """Plays steps on a stage as client 1."""

    def __init__(self, plan: CommissionPlan, doubts: Doubts) -> None:
        options = VenueOptions(eastern_ms(DAY, seconds_of_day("15:20")), cash=CASH, plan=plan, doubts=doubts)
        self.stage = Stage(Venue(_market(), options))
        self.groups: dict[str, tuple[int, int]] = {}
        self._next_id = 1

    def play(self, step: tuple[object, ...]) -> None:
        """One step; refusals are as good as orders."""
        getattr(self, f"_{step[0]}")(*step[1:])

    def _id(self) -> int:
        self._next_id += 1
        return self._next_id - 1

    def _price(self, symbol: str, offset: int) -> str:
        instrument = self.stage.venue.find(symbol=symbol)
        assert instrument is not None
        last = self.stage.venue.last_trade(instrument)
        assert last is not None
        return f"{last.price / UNITS_PER_DOLLAR + offset / 100:.2f}"

    def _single(self, symbol: str, side: str, quantity: int, kind: str, offset: int, tif: str) -> None:
        prices = {"limit": self._price(symbol, offset)} if "LMT" in kind else {}
        if kind.startswith("STP"):
            prices["stop"] = self._price(symbol, -offset)
        if kind == "TRAIL":
            prices["stop"] = f"{(abs(offset) + 1) / 100:.2f}"
        self.stage.place(self._id(), side, quantity, kind, symbol=symbol, tif=tif, **prices)

    def _bracket(self, symbol: str, side: str, quantity: int, stop: int, target: int, tif: str) -> None:
        sign, away = (1, "SELL") if side == "BUY" else (-1, "BUY")
        parent = self._id()
        self.stage.place(parent, side, quantity, symbol=symbol, tif=tif, transmit=False)
        for kind, price, last in (("STP", -stop * sign, False), ("LMT", target * sign, True)):
            named = {"limit" if kind == "LMT" else "stop": self._price(symbol, price)}
            self.stage.place(self._id(), away, quantity, kind, symbol=symbol, parent_id=parent, transmit=last, **named)

    def _group(self, symbol: str, side: str, quantity: int, oca_type: int, near: int, far: int) -> None:
        sign = 1 if side == "BUY" else -1
        name = f"group-{self._next_id}"
        first, second = self._id(), self._id()
        self.groups[name] = (oca_type, quantity)
        shared = {"symbol": symbol, "oca_group": name, "oca_type": oca_type}
        self.stage.place(first, side, quantity, "LMT", limit=self._price(symbol, -near * sign), **shared)
        self.stage.place(second, side, quantity, "STP", stop=self._price(symbol, far * sign), **shared)

    def _change(self, which: int, quantity: int, offset: int) -> None:
        live = [
            order for order in self.stage.venue.open_orders() if order.client_id == 1 and not order.request.oca_group
        ]
        if not live:
            return
        order = live[which % len(live)]
        symbol, kind = order.instrument.symbol, order.request.order_type
        prices = {"limit": self._price(symbol, offset)} if "LMT" in kind else {}
        if kind.startswith("STP") or kind == "TRAIL":
            prices["stop"] = self._price(symbol, offset) if kind != "TRAIL" else "0.10"
        self.stage.place(order.order_id, order.request.action, quantity, kind, symbol=symbol, tif=order.tif, **prices)

    def _cancel(self, which: int) -> None:
        live = self.stage.live()
        if live:
            self.stage.cancel(live[which % len(live)])

    def _hand(self, symbol: str, quantity: int) -> None:
        instrument = self.stage.venue.find(symbol=symbol)
        assert instrument is not None
        self.stage.venue.faults.manual_trade(instrument, quantity)

    def _correction(self, which: int, by_cents: int) -> None:
        found = [execution for execution, _ in self.stage.venue.executions()]
        if found:
            old = found[which % len(found)]
            self.stage.venue.faults.correct_execution(old.price + by_cents * CENT, old.exec_id)

    def _charge(self, amount: int, late_seconds: int) -> None:
        self.stage.venue.faults.delay_commissions(late_seconds, amount=amount)

    def _wait(self, seconds: int) -> None:
        self.stage.venue.advance(self.stage.venue.clock.now_ms + 1000 * seconds)


def _told(stage: Stage) -> list[tuple[Execution, CommissionReport | None]]:
    """The newest revision of each execution, in the order of the first ones, with the newest report of it."""
    reports = {report.exec_id: report for report in stage.ear.commissions}
    newest = {execution.exec_id[:-3]: execution for execution in stage.ear.executions}
    return [(execution, reports.get(execution.exec_id)) for execution in newest.values()]


def _is_known(stage: Stage) -> bool:
    """Whether every commission has been told."""
    return all(report is not None and report.commission != NOT_KNOWN_YET for _, report in _told(stage))


def _books(stage: Stage) -> Books:
    books = Books()
    for execution, report in _told(stage):
        assert report is not None
        sign = 1 if execution.side == "BOT" else -1
        books.add(execution.instrument.symbol, sign * execution.shares, execution.price, report.commission)
    return books


def _check(stage: Stage, books: Books) -> None:
    venue = stage.venue
    rows = {row.instrument.symbol: row for row in venue.positions()}
    values = {value.key: value.value for value in venue.account_values()}
    assert values["TotalCashValue"] == f"{books.cash / UNITS_PER_DOLLAR:.2f}"
    for symbol, quantity in books.quantity.items():
        row = rows.get(symbol)
        assert (row.quantity if row is not None else 0) == quantity
        if row is not None and quantity:
            assert abs(row.average_cost * UNITS_PER_DOLLAR - books.cost[symbol] / quantity) < 1
    realized = sum(row.realized_pnl for row in rows.values())
    cent = UNITS_PER_DOLLAR // 100
    assert abs(realized - books.realized) < cent
    held = sum(books.cost.values())
    assert books.cash + held == CASH + books.realized  # the second books agree with themselves
    at_market = sum(row.market_value for row in rows.values())
    assert values["NetLiquidation"] == f"{(books.cash + at_market) / UNITS_PER_DOLLAR:.2f}"
    reported = sum(report.realized_pnl or 0 for _, report in _told(stage) if report is not None)
    assert reported == realized
    assert venue.pnl().realized == realized
    assert venue.pnl().daily == venue.pnl().realized + venue.pnl().unrealized


@given(steps, st.sampled_from(["fixed", "tiered"]), st.booleans(), st.integers(0, 3))
@settings(max_examples=30)
def test_money_balances_to_the_cent(played: list[tuple[object, ...]], plan: str, fees: bool, doubts: int) -> None:
    variants = (
        Doubts(),
        Doubts(children_arm="part", cancelled_parent_takes_children=False, cancel_takes_siblings=False),
        Doubts(oca3_overfill_probability=0.5, cancel_delay_seconds=2, trade_through_fills=True),
        Doubts(explicit_child_group="accept", modify_with_parent_id="accept", oca3_cancel_delay_seconds=0),
    )
    trader = Trader(CommissionPlan(plan, fees), variants[doubts])
    for step in played:
        trader.play(step)
        if _is_known(trader.stage):
            _check(trader.stage, _books(trader.stage))
    trader.stage.until("16:02:00")
    books = _books(trader.stage)
    note(f"{len(trader.stage.ear.executions)} executions, cash {books.cash}")
    _check(trader.stage, books)
    _check_groups(trader)


def _check_groups(trader: Trader) -> None:
    """No group of type 1 or 2 has filled more than its quantity (type 1: the partly filled order may finish)."""
    filled = dict.fromkeys(trader.groups, 0)
    known = [*trader.stage.venue.completed_orders(), *trader.stage.venue.open_orders()]
    for order in known:
        if order.request.oca_group in filled:
            filled[order.request.oca_group] += order.filled
    for name, (oca_type, quantity) in trader.groups.items():
        if oca_type in (1, 2):
            assert filled[name] <= quantity


@given(st.integers(1, 3000), st.integers(1, 500_0000), st.lists(st.integers(1, 3000), max_size=6))
def test_a_minimum_is_paid_once_per_order(first: int, price: int, more: list[int]) -> None:
    plan = CommissionPlan()
    parts, paid = [first, *more], 0
    for index in range(len(parts)):
        shares_so_far = sum(parts[: index + 1])
        before = paid
        paid = plan.order_total(shares_so_far, shares_so_far * price)
        assert paid >= before
    total = sum(parts)
    exact = min(max(Fraction(50) * total, Fraction(10_000)), Fraction(total * price, 100))
    assert abs(paid - exact) <= Fraction(1, 2)


def test_fixed_and_tiered_commissions_of_known_orders() -> None:
    dollar = UNITS_PER_DOLLAR
    fixed, tiered = CommissionPlan(), CommissionPlan("tiered", regulatory_fees=True)
    assert fixed.order_total(100, 100 * 50 * dollar) == dollar  # the minimum
    assert fixed.order_total(1000, 1000 * 50 * dollar) == 5 * dollar
    assert fixed.order_total(1000, 1000 * dollar // 4) == 25 * dollar // 10  # 1 % of 250 dollars
    assert fixed.fees(-1, 1000, 50 * dollar, added_liquidity=False) == 0
    assert tiered.order_total(1000, 1000 * 50 * dollar) == 35_000
    assert tiered.fees(1, 1000, 50 * dollar, added_liquidity=False) == 32_000
    assert tiered.fees(1, 1000, 50 * dollar, added_liquidity=True) == -18_000  # a rebate
    sale = tiered.fees(-1, 1000, 50 * dollar, added_liquidity=False)
    assert sale == 32_000 + 13_900 + 1_660  # SEC fee 1.39, trading activity fee 0.166
