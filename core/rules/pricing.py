"""The last rules: can the entry be priced, sized and protected?"""

from __future__ import annotations

from core.pricing import increments_of, last_trade, leg_price, side_quote
from core.rules.candidate import Candidate, Plan
from core.vocabulary import Refusal


def contract(candidate: Candidate) -> Refusal | None:
    """The broker has told what the ticker is."""
    return Refusal.CONTRACT_UNKNOWN if candidate.book.instrument is None else None


def atr(candidate: Candidate) -> Refusal | None:
    """The ATR is ready, and its newest bar not older than 30 s. There is no fallback."""
    book, desk = candidate.book, candidate.desk
    if book.atr.value is None:
        return Refusal.ATR_NOT_READY
    candidate.note("atr", f"{book.atr.value:.6g}")
    age_ms = desk.state.now_ms - (book.atr.newest_end_ms or 0)
    if age_ms > desk.params.atr_max_age_seconds * 1000:
        candidate.note("atr_age_ms", age_ms)
        return Refusal.ATR_STALE
    return None


def price_and_size(candidate: Candidate) -> Refusal | None:
    """There is a price, the size buys at least one share, both legs lie above zero, the target pays its costs."""
    plan = candidate.plan
    if plan is None:
        quote, last = side_quote(candidate.book, candidate.side.entry_action), last_trade(candidate.book)
        return Refusal.NO_FRESH_PRICE if quote is None and last is None else Refusal.PRICE_INVALID
    if isinstance(plan.sized, Refusal):
        return plan.sized
    if max(plan.stop_distance, plan.target_distance) >= plan.price:
        return Refusal.PRICE_INVALID
    side, increments = candidate.side, increments_of(candidate.book)
    plan.stop_price = leg_price(side, plan.price - side.sign * plan.stop_distance, increments)
    plan.target_price = leg_price(side, plan.price + side.sign * plan.target_distance, increments)
    return _target_inside_costs(candidate, plan)


def _target_inside_costs(candidate: Candidate, plan: Plan) -> Refusal | None:
    """The target must pay for the spread and the round trip's commission where its order lies, on the increments."""
    params = candidate.desk.params
    commission = max(params.commission_per_share * plan.shares, params.commission_min_per_order)
    costs = plan.spread + 2 * commission / plan.shares
    candidate.note("costs_per_share", f"{costs:.4f}")
    return Refusal.TARGET_INSIDE_COSTS if abs(plan.target_price - plan.price) < costs else None


RULES = (contract, atr, price_and_size)
"""In the order in which they are asked."""
