"""Rules 4 to 7: what the ticker's orders, position and cooldowns allow."""

from __future__ import annotations

from core.bracket import IN_FLIGHT_STAGES
from core.rules.candidate import Candidate
from core.state import Book
from core.vocabulary import Leg, Outcome, Refusal, Side

MINUTE_MS = 60_000


def order_in_flight(candidate: Candidate) -> Refusal | None:
    """Rule 4: nothing of this ticker is unsettled."""
    return Refusal.ORDER_IN_FLIGHT if is_in_flight(candidate.book) else None


def is_in_flight(book: Book) -> bool:
    """An entry, an exit, a change, an end, an execution or an explanation is outstanding; when flat, any live order."""
    if book.exit is not None or book.behind or book.disagreed_step:
        return True
    return any(
        order.leg is Leg.ENTRY or order.stage in IN_FLIGHT_STAGES or order.hangs or book.position == 0
        for order in book.orders.values()
    )


def cooldown_end_ms(candidate: Candidate, side: Side) -> int | None:
    """When the side's cooldown ends; None without one."""
    started_ms = candidate.book.cooldown_ms.get(side)
    if started_ms is None:
        return None
    return started_ms + candidate.params.cooldown_minutes * MINUTE_MS


def position_rule(candidate: Candidate) -> Refusal | None:
    """Rules 5 to 7: enter, scale in, or reverse."""
    if candidate.outcome is Outcome.SCALE_IN:
        return _scale_in(candidate)
    end_ms = cooldown_end_ms(candidate, candidate.side)
    if end_ms is not None and candidate.desk.state.now_ms < end_ms:
        candidate.note("cooldown_left_ms", end_ms - candidate.desk.state.now_ms)
        return Refusal.COOLDOWN
    return None


def _scale_in(candidate: Candidate) -> Refusal | None:
    desk, book, plan = candidate.desk, candidate.book, candidate.plan
    least = candidate.params.confidence_threshold + desk.params.scale_in_confidence_margin
    candidate.note("scale_in_confidence", f"{least:.6g}")
    if round(candidate.prediction.confidence - least, 9) < 0:
        return Refusal.SAME_SIDE_WEAK
    average = desk.state.ledger.average_price(book.ticker)
    if average is not None and plan is not None and book.atr.value is not None:
        move = float((plan.price - average) * candidate.side.sign)
        candidate.note("favourable_move", f"{move:.6g}")
        if round(move - desk.params.scale_in_min_move_atr * book.atr.value, 9) < 0:
            return Refusal.SAME_SIDE_NO_MOVE
    if book.trades[-1].adds >= desk.params.scale_in_max_adds:
        return Refusal.SAME_SIDE_MAX_ADDS
    return None
