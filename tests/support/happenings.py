"""What can happen in a playbook: predictions, fills, errors, people, time, the connection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from core import events as e
from core.market import Bar, Prediction, Quote
from core.orders import OpenOrder, PositionRow
from core.vocabulary import Action, ErrorKind, Leg, Link, OrderStatus
from tests.support.playbook import Playbook, Step

# --- predictions ----------------------------------------------------------------------------------------------------


def predicted(
    signal: str,
    confidence: float = 0.60,
    *,
    ticker: str = "",
    asked: str = "",
    age_seconds: float = 0,
    fresh: bool = True,
) -> Step:
    """A prediction arrives; unless it is not `fresh`, so does a quote, just before."""

    def step(play: Playbook) -> Sequence[e.Event]:
        name = ticker or play.ticker
        at_ms = play.now_ms - round(age_seconds * 1000)
        prediction = Prediction(name, signal, confidence, 75.0, at_ms, asked or name)
        received = e.PredictionReceived(0, prediction)
        return [play.quote(name), received] if fresh and name in play.broker.prices else [received]

    return step


def buy(confidence: float = 0.60, ticker: str = "") -> Step:
    """A fresh BUY."""
    return predicted("BUY", confidence, ticker=ticker)


def sell(confidence: float = 0.60, ticker: str = "") -> Step:
    """A fresh SELL."""
    return predicted("SELL", confidence, ticker=ticker)


def unreadable(ticker: str = "SOXL") -> Step:
    """An answer that cannot be parsed."""
    return lambda play: [e.PredictionUnreadable(0, ticker, "no such field")]


# --- the market -----------------------------------------------------------------------------------------------------


def trades_at(dollars: str, ticker: str = "") -> Step:
    """The market moves: working stops and limits that it reaches fill."""

    def step(play: Playbook) -> Sequence[e.Event]:
        name = ticker or play.ticker
        play.broker.price(name, dollars)
        return [play.quote(name)]

    return step


def quoted(bid: float | None, ask: float | None, last: float | None = None) -> Step:
    """This quote, whatever the broker's price."""
    return lambda play: [e.QuoteChanged(0, Quote(play.ticker, bid, ask, last))]


def bar(close: float, low: float | None = None, high: float | None = None, ticker: str = "") -> Step:
    """A live bar closes now."""

    def step(play: Playbook) -> Sequence[e.Event]:
        name = ticker or play.ticker
        start_ms = play.bar_ms[name]
        play.bar_ms[name] += 10_000
        least, most = low if low is not None else close, high if high is not None else close
        return [e.BarClosed(0, Bar(name, start_ms, close, most, least, close, 100))]

    return step


# --- time, people, the connection -----------------------------------------------------------------------------------


def seconds(count: float) -> Step:
    """Time passes; timers fire."""

    def step(play: Playbook) -> Sequence[e.Event]:
        play.pass_time(play.now_ms + round(count * 1000))
        return []

    return step


def minutes(count: float) -> Step:
    """Time passes; timers fire."""
    return seconds(count * 60)


def until(at_ms: int) -> Step:
    """Time passes up to this moment (UTC epoch ms)."""

    def step(play: Playbook) -> Sequence[e.Event]:
        play.pass_time(at_ms)
        return []

    return step


def link_lost(play: Playbook) -> Sequence[e.Event]:
    """The socket is gone; what the broker says is lost."""
    play.broker.connected = False
    play.broker.outbox.clear()
    return [e.LinkChanged(0, Link.LOST, "socket closed")]


def link_degraded(play: Playbook) -> Sequence[e.Event]:
    """1100, or a farm is down."""
    return [e.LinkChanged(0, Link.DEGRADED, "1100")]


def link_back(play: Playbook) -> Sequence[e.Event]:
    """The link is up again; the broker answers questions."""
    play.broker.connected = True
    return [e.LinkChanged(0, Link.CONNECTED, "1102")]


def restarted(*, journal: bool = True) -> Step:
    """The process died and came back, with its journal or without."""

    def step(play: Playbook) -> Sequence[e.Event]:
        play.restart(journal=journal)
        if not journal:
            play.keep_warm()
        return [e.LinkChanged(0, Link.LOST, "process started"), e.LinkChanged(0, Link.CONNECTED, "connected")]

    return step


def flatten(*tickers: str, whole_account: bool = False) -> Step:
    """Somebody asks for flat."""
    return lambda play: [e.FlattenRequested(0, "a person", tickers, whole_account)]


def suspend(play: Playbook) -> Sequence[e.Event]:
    """Somebody stops entries."""
    return [e.SuspendRequested(0, "a person")]


def resume(play: Playbook) -> Sequence[e.Event]:
    """Somebody allows entries again."""
    return [e.ResumeRequested(0, "a person")]


def stop_session(play: Playbook) -> Sequence[e.Event]:
    """Somebody ends the session."""
    return [e.StopRequested(0, "a person")]


def happens(*events: e.Event) -> Step:
    """Exactly these events."""
    return lambda play: list(events)


# --- the broker -----------------------------------------------------------------------------------------------------


def filled(name: str, shares: int, dollars: str) -> Step:
    """The broker fills a part of an order, or all of it."""

    def step(play: Playbook) -> Sequence[e.Event]:
        play.broker.fill(play.ref(name), shares, dollars)
        return []

    return step


def filled_unheard(name: str, shares: int, dollars: str) -> Step:
    """The broker fills an order and its report is lost."""

    def step(play: Playbook) -> Sequence[e.Event]:
        play.broker.fill(play.ref(name), shares, dollars, tell=False)
        return []

    return step


def lost_on_the_way(*legs: Leg) -> Step:
    """From now on stand-alone orders of these legs never arrive; without any, all do again."""

    def step(play: Playbook) -> Sequence[e.Event]:
        play.broker.loses = frozenset(legs)
        return []

    return step


def repeated(count: int = 1) -> Step:
    """The broker says everything of its executions again."""

    def step(play: Playbook) -> Sequence[e.Event]:
        return [e.ExecutionReported(0, one) for one in play.broker.executions] * count

    return step


def corrected(dollars: str, shares: int | None = None) -> Step:
    """The newest execution is corrected: the same id but for the digits after the last dot."""

    def step(play: Playbook) -> Sequence[e.Event]:
        old = play.broker.executions[-1]
        new = replace(
            old, exec_id=f"{old.lineage}.02", price=Decimal(dollars), shares=old.shares if shares is None else shares
        )
        play.broker.positions[old.ticker] += old.action.sign * (new.shares - old.shares)
        play.broker.executions[-1] = new
        return [e.ExecutionReported(0, new)]

    return step


def traded_by_hand(action: Action, shares: int, dollars: str, ticker: str = "", *, tell: bool = True) -> Step:
    """Somebody trades the ticker in TWS."""

    def step(play: Playbook) -> Sequence[e.Event]:
        play.broker.trade(ticker or play.ticker, action, shares, dollars, tell=tell)
        return []

    return step


def position_pushed(play: Playbook) -> Sequence[e.Event]:
    """The broker pushes the account's position in the ticker."""
    shares = play.broker.positions.get(play.ticker, 0)
    return [e.PositionReported(0, PositionRow(play.ticker, shares, Decimal(0)))]


def ordered_by_hand(ticker: str = "", perm_id: int = 7) -> Step:
    """Somebody places an order in TWS."""

    def step(play: Playbook) -> Sequence[e.Event]:
        row = OpenOrder("", 0, 0, perm_id, ticker or play.ticker, Action.BUY, "LMT", 10, OrderStatus.SUBMITTED)
        play.broker.foreign.append(row)
        return [e.OrderReported(0, row)]

    return step


def refuses(*legs: str, code: int = 201, kind: ErrorKind = ErrorKind.REJECTED) -> Step:
    """From now on the broker refuses such orders when they are placed; without legs it refuses none."""

    def step(play: Playbook) -> Sequence[e.Event]:
        play.broker.refuse = dict.fromkeys(legs, (code, kind))
        return []

    return step


def error(name: str, kind: ErrorKind, code: int = 201) -> Step:
    """The broker reports an error for an order; an order that this ends is ended at the broker too."""

    def step(play: Playbook) -> Sequence[e.Event]:
        ref = play.ref(name)
        if kind in (ErrorKind.REJECTED, ErrorKind.CANCELLED):
            play.broker.orders[ref].status = OrderStatus.INACTIVE
        return [e.OrderErrorReported(0, ref, code, kind, "as scripted")]

    return step


def ended(name: str) -> Step:
    """The broker cancels an order by itself."""

    def step(play: Playbook) -> Sequence[e.Event]:
        play.broker._end(play.broker.orders[play.ref(name)], OrderStatus.CANCELLED)
        return []

    return step


def cancels_hang(play: Playbook) -> Sequence[e.Event]:
    """From now on `PendingCancel` is all that comes of a cancel."""
    play.broker.cancels_hang = True
    return []


def cancels_are_lost(play: Playbook) -> Sequence[e.Event]:
    """From now on no cancel is heard: orders work on, and are listed as working."""
    play.broker.hears_cancels = False
    return []


def cancels_end(play: Playbook) -> Sequence[e.Event]:
    """Cancels are heard and carried out again, those that hang at once."""
    play.broker.hears_cancels = True
    play.broker.end_hanging()
    return []


def being_cancelled(name: str) -> Step:
    """Somebody else, or the broker itself, has asked for an order's end, and that hangs."""

    def step(play: Playbook) -> Sequence[e.Event]:
        play.broker.hang(play.broker.orders[play.ref(name)])
        return []

    return step


def broker_mute(play: Playbook) -> Sequence[e.Event]:
    """The broker takes everything and answers nothing."""
    play.broker.mute = True
    return []


def broker_speaks(play: Playbook) -> Sequence[e.Event]:
    """It answers again."""
    play.broker.mute = False
    return []


def market_orders_wait(play: Playbook) -> Sequence[e.Event]:
    """The ticker is halted: market orders do not fill until a test says so."""
    play.broker.fills_market_orders = False
    return []


def market_orders_fill(play: Playbook) -> Sequence[e.Event]:
    """Market orders fill again."""
    play.broker.fills_market_orders = True
    return []


def price_unknown(play: Playbook) -> Sequence[e.Event]:
    """Nothing trades: orders rest until a test fills them."""
    play.broker.prices.pop(play.ticker, None)
    return []
