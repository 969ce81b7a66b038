"""Rule 3: the limits of SEMANTICS 8. Asked before every entry; no exit ever asks them. A limit of None is off.

A figure that is not a number refuses. What cannot be known yet (no price, no size) is left to the pricing rules.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal

from core.exposure import committed_shares, daily_pnl, heat_of, mark_of
from core.money import ZERO, from_float
from core.params import Pair, SizeUnit
from core.rules.candidate import Candidate, Plan
from core.state import Book
from core.vocabulary import Leg, Outcome, Refusal, Side

ORDERS_PER_ENTRY = 4
"""An entry with its three legs."""

Rule = Callable[[Candidate], Refusal | None]
PlanRule = Callable[[Candidate, Plan], Refusal | None]


def exceeds(figure: Decimal, limit: Decimal | int) -> bool:
    """Above the limit, or not a number."""
    return figure.is_nan() or figure > limit


# --- the day, the session, the ticker -----------------------------------------------------------------------------


def daily_loss(candidate: Candidate) -> Refusal | None:
    """The day's P&L has not reached −max_daily_loss, and is known."""
    limit = candidate.desk.params.risk.max_daily_loss
    if limit is None:
        return None
    pnl = daily_pnl(candidate.desk)
    candidate.note("daily_pnl", pnl)
    if pnl is None:
        return Refusal.PNL_UNKNOWN
    return Refusal.MAX_DAILY_LOSS if pnl <= -limit else None


def trades(candidate: Candidate) -> Refusal | None:
    """Trades opened today, of the ticker and of all; an add is none."""
    risk = candidate.desk.params.risk
    if candidate.outcome is Outcome.SCALE_IN:
        return None
    of_ticker = _trades_opened(candidate.book)
    if risk.max_trades_per_ticker is not None and of_ticker >= risk.max_trades_per_ticker:
        candidate.note("trades_of_ticker", of_ticker)
        return Refusal.MAX_TICKER_TRADES
    of_all = sum([_trades_opened(book) for book in candidate.desk.state.books.values()])
    if risk.max_trades is not None and of_all >= risk.max_trades:
        candidate.note("trades", of_all)
        return Refusal.MAX_SESSION_TRADES
    return None


def _trades_opened(book: Book) -> int:
    """Those that the ledger knows, and one that an entry on its way will begin."""
    opened = len(book.trades)
    if book.position == 0:
        for order in book.orders.values():
            if order.leg is Leg.ENTRY and order.filled == 0:
                return opened + 1
    return opened


def order_rate(candidate: Candidate) -> Refusal | None:
    """Orders sent in the last 60 s, with those of this entry."""
    limit = candidate.desk.params.risk.max_orders_per_minute
    sent = candidate.desk.orders_in_last_minute()
    if limit is not None and sent + ORDERS_PER_ENTRY > limit:
        candidate.note("orders_in_last_minute", sent)
        return Refusal.MAX_ORDERS_PER_MINUTE
    return None


def rejects(candidate: Candidate) -> Refusal | None:
    """Entries that the broker rejected in a row, over all tickers: something general is wrong."""
    limit = candidate.desk.params.risk.max_rejects_in_a_row
    count = candidate.desk.state.rejects_in_a_row
    return Refusal.REJECTS_IN_A_ROW if limit is not None and count >= limit else None


def stop_outs(candidate: Candidate) -> Refusal | None:
    """Stop-outs of the ticker in a row."""
    limit = candidate.desk.params.risk.max_stop_outs_in_a_row
    count = candidate.book.stop_outs_in_a_row
    return Refusal.STOP_OUTS_IN_A_ROW if limit is not None and count >= limit else None


def shortable(candidate: Candidate) -> Refusal | None:
    """The broker has not said that the ticker cannot be sold short."""
    instrument = candidate.book.instrument
    refused = candidate.side is Side.SHORT and instrument is not None and instrument.shortable is False
    return Refusal.NOT_SHORTABLE if refused else None


def blocked(candidate: Candidate) -> Refusal | None:
    """Nothing has closed the ticker for the day, and no rejection for the moment."""
    book, desk = candidate.book, candidate.desk
    if book.blocked:
        candidate.note("blocked", book.blocked)
        return Refusal.TICKER_BLOCKED
    if (book.foreign_shares or book.foreign_orders) and not desk.params.allow_foreign_positions:
        candidate.note("foreign_shares", book.foreign_shares)
        return Refusal.FOREIGN_POSITION
    if desk.state.now_ms < book.paused_until_ms:
        candidate.note("pause_left_ms", book.paused_until_ms - desk.state.now_ms)
        return Refusal.REJECT_PAUSE
    return None


# --- what the trade would add -------------------------------------------------------------------------------------


def position_size(candidate: Candidate, plan: Plan) -> Refusal | None:
    """Dollars and shares of one position."""
    risk, shares = candidate.desk.params.risk, abs(plan.shares_after)
    if risk.max_position_value is not None and exceeds(shares * plan.price, risk.max_position_value):
        candidate.note("position_value", shares * plan.price)
        return Refusal.MAX_POSITION_VALUE
    if risk.max_position_shares is not None and shares > risk.max_position_shares:
        candidate.note("position_shares", shares)
        return Refusal.MAX_POSITION_SHARES
    return None


def gross_exposure(candidate: Candidate, plan: Plan) -> Refusal | None:
    """Dollars of all positions, long and short alike."""
    limit = candidate.desk.params.risk.max_gross_exposure
    gross = sum([abs(value) for _, value in candidate.others()], abs(plan.value_after))
    if limit is not None and exceeds(gross, limit):
        candidate.note("gross_exposure", gross)
        return Refusal.MAX_GROSS_EXPOSURE
    return None


def sector_exposure(candidate: Candidate, plan: Plan) -> Refusal | None:
    """The net bet on the ticker's sector; an inverse product counts against its sign."""
    limit, own = candidate.desk.params.risk.max_sector_exposure, candidate.params
    if limit is None or not own.sector:
        return None
    net = plan.value_after * own.sector_sign
    for book, value in candidate.others():
        params = candidate.desk.by_ticker.get(book.ticker)
        if params is not None and params.sector == own.sector:
            net += value * params.sector_sign
    if exceeds(abs(net), limit):
        candidate.note("sector_exposure", net)
        return Refusal.MAX_SECTOR_EXPOSURE
    return None


def pair_bet(candidate: Candidate, plan: Plan) -> Refusal | None:
    """The same bet made twice, through two tickers that move together or against each other."""
    limit = candidate.desk.params.risk.max_pair_bet_sizes
    if limit is None:
        return None
    own = plan.value_after
    size = candidate.params.size * (1 if candidate.params.size_unit is SizeUnit.DOLLARS else plan.price)
    others = {book.ticker: value for book, value in candidate.others()}
    for pair in candidate.desk.params.pairs:
        other = others.get(_partner(pair, candidate.book.ticker), ZERO) * pair.correlation
        same_bet = other.is_nan() or own * other > 0
        if same_bet and exceeds(abs(own + other), limit * size):
            candidate.note("pair_bet", own + other)
            return Refusal.MAX_PAIR_BET
    return None


def _partner(pair: Pair, ticker: str) -> str:
    if ticker == pair.first:
        return pair.second
    return pair.first if ticker == pair.second else ""


def heat(candidate: Candidate, plan: Plan) -> Refusal | None:
    """What all stops together would cost."""
    limit, desk = candidate.desk.params.risk.max_portfolio_heat, candidate.desk
    if limit is None:
        return None
    total = plan.shares * plan.stop_distance
    for book in desk.state.books.values():
        if book.brackets and (book is not candidate.book or plan.outcome is Outcome.SCALE_IN):
            total += heat_of(desk, book)
    if exceeds(total, limit):
        candidate.note("portfolio_heat", total)
        return Refusal.MAX_PORTFOLIO_HEAT
    return None


def spread(candidate: Candidate, plan: Plan) -> Refusal | None:
    """Spread as a fraction of the mid; unknown without both quotes, and then not asked."""
    limit, quote = candidate.desk.params.risk.max_spread_fraction, candidate.book.quote
    if limit is None or quote is None or quote.bid is None or quote.ask is None:
        return None
    mid = (quote.ask + quote.bid) / 2
    fraction = (quote.ask - quote.bid) / mid if mid > 0 else math.nan
    candidate.note("spread_fraction", f"{fraction:.6f}")
    return None if fraction <= limit else Refusal.MAX_SPREAD


def price_jump(candidate: Candidate, plan: Plan) -> Refusal | None:
    """The decision price against the close of the last bar."""
    limit, close = candidate.desk.params.risk.max_price_jump_fraction, candidate.book.last_close
    if limit is None or close is None:
        return None
    before = from_float(close)
    jump = abs(plan.price - before) / before
    candidate.note("price_jump_fraction", f"{jump:.6f}")
    return Refusal.PRICE_JUMP if exceeds(jump, from_float(limit)) else None


def buying_power(candidate: Candidate) -> Refusal | None:
    """The account can pay for it and for what is in flight, as far as the broker has said."""
    desk, plan, power = candidate.desk, candidate.plan, candidate.desk.state.buying_power
    if power is None or plan is None:
        return None
    ordering = [book for book in desk.state.books.values() if book.orders]
    entering = [(book, committed_shares(book) - book.position) for book in ordering]
    needed = sum([abs(shares * mark_of(desk, book)) for book, shares in entering if shares], plan.shares * plan.price)
    if power.is_nan() or exceeds(needed, power):
        candidate.note("buying_power", power)
        return Refusal.BUYING_POWER
    return None


TRADE_RULES: tuple[PlanRule, ...] = (
    position_size,
    gross_exposure,
    sector_exposure,
    pair_bet,
    heat,
    spread,
    price_jump,
)
"""Rules about what the trade would add."""


def trade(candidate: Candidate) -> Refusal | None:
    """Asks the rules about the trade's figures; without a price there are none."""
    plan = candidate.plan
    if plan is None:
        return None
    for rule in TRADE_RULES:
        refusal = rule(candidate, plan)
        if refusal is not None:
            return refusal
    return None


RULES: tuple[Rule, ...] = (
    daily_loss,
    trade,
    trades,
    order_rate,
    rejects,
    stop_outs,
    buying_power,
    shortable,
    blocked,
)
"""In the order in which they are asked."""
