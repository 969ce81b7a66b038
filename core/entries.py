"""From a prediction to exactly one decision, and from a decision to a bracket."""

from __future__ import annotations

from decimal import Decimal

from core import exit_protocol
from core.commands import RecordDecision
from core.desk import Desk
from core.market import Prediction
from core.orders import OrderSpec, order_ref
from core.params import EntryKind, TickerParams
from core.pricing import through_market
from core.records import Decision
from core.rules import pricing, risk
from core.rules.access import no_access
from core.rules.candidate import SIDES, Candidate, Plan, make_plan, outcome_of
from core.rules.position import order_in_flight, position_rule
from core.rules.signal import invalid, outdated, weak
from core.state import Book, Bracket, Legs
from core.vocabulary import ExitReason, Leg, OrderKind, Outcome, Refusal, Severity, Side, TimeInForce

TRADING_RULES = (*risk.RULES, order_in_flight, position_rule, *pricing.RULES)
"""Rules 3 to 7, in the order in which they are asked, and what an entry needs besides."""

KEYS_MAX = 10_000
"""Predictions remembered; beyond that those too old to be accepted again are forgotten."""


def decide(desk: Desk, prediction: Prediction) -> Book | None:
    """Ask the rules in their order, record the one decision, and act on it; the book in which something was done."""
    params, side = desk.by_ticker.get(prediction.ticker), SIDES.get(prediction.signal)
    candidate = None if params is None or side is None else _candidate(desk, prediction, params, side)
    refusal = _refusal(desk, prediction, candidate)
    _remember(desk, prediction)
    if refusal is not None or candidate is None or candidate.plan is None:
        _record(desk, prediction, candidate, refusal=refusal)
        return None
    number = desk.state.take_number()
    _record(desk, prediction, candidate, number=number)
    if candidate.outcome is Outcome.REVERSE:
        run = exit_protocol.start(desk, candidate.book, ExitReason.REVERSAL)
        run.reentry, run.reentry_number = prediction, number
    else:
        enter(candidate, candidate.plan, number)
    return candidate.book


def refuse_unreadable(desk: Desk, asked_ticker: str, problem: str) -> None:
    """Record an answer of the prediction source that could not be parsed."""
    state = desk.state
    decision = Decision(
        at_ms=state.now_ms,
        number=state.next_decision,
        ticker=asked_ticker,
        prediction_key="",
        signal="",
        confidence=None,
        outcome=Outcome.REFUSE,
        refusal=Refusal.UNREADABLE,
        values=(("problem", problem),),
    )
    state.next_decision += 1
    desk.out.append(RecordDecision(decision))


def enter_after_exit(desk: Desk, book: Book, prediction: Prediction, number: int) -> None:
    """A reversal's second half, once flat: the signal must still be fresh and every limit still hold."""
    candidate = _candidate(desk, prediction, desk.by_ticker[prediction.ticker], SIDES[prediction.signal])
    refusal = outdated(desk, prediction) or no_access(desk, book.ticker) or _trading_refusal(candidate)
    if refusal is None and candidate.plan is not None:
        enter(candidate, candidate.plan, number)
        return
    desk.alert(
        Severity.WARNING,
        f"reversal/{book.ticker}/{number}",
        f"{book.ticker}: reversal without entry",
        f"Flat, but the entry was refused on the second look: {refusal}.",
    )


def _candidate(desk: Desk, prediction: Prediction, params: TickerParams, side: Side) -> Candidate:
    """What the rules see."""
    book = desk.book(prediction.ticker)
    candidate = Candidate(desk, prediction, book, params, side, outcome_of(book, side))
    candidate.plan = plan = make_plan(candidate)
    candidate.note("confidence_threshold", params.confidence_threshold)
    if plan is not None:
        candidate.note("stop_distance", plan.stop_distance)
        candidate.note("target_distance", plan.target_distance)
    return candidate


def _refusal(desk: Desk, prediction: Prediction, candidate: Candidate | None) -> Refusal | None:
    return (
        no_access(desk, prediction.ticker)
        or invalid(desk, prediction)
        or weak(desk, prediction)
        or (_trading_refusal(candidate) if candidate is not None else None)
    )


def _trading_refusal(candidate: Candidate) -> Refusal | None:
    for rule in TRADING_RULES:
        refusal = rule(candidate)
        if refusal is not None:
            return refusal
    return None


def _remember(desk: Desk, prediction: Prediction) -> None:
    """It is used up, also by a refusal; but an answer to the question for another ticker takes nothing from its own."""
    if prediction.ticker != prediction.asked_ticker:
        return
    used = desk.state.used_predictions
    used[prediction.key] = prediction.timestamp_ms
    if len(used) > KEYS_MAX:
        oldest_ms = desk.state.now_ms - desk.params.prediction_max_age_seconds * 1000
        desk.state.used_predictions = {key: at_ms for key, at_ms in used.items() if at_ms >= oldest_ms}


def _record(
    desk: Desk,
    prediction: Prediction,
    candidate: Candidate | None,
    *,
    refusal: Refusal | None = None,
    number: int | None = None,
) -> None:
    state = desk.state
    plan = candidate.plan if candidate is not None else None
    outcome = Outcome.REFUSE if number is None or candidate is None else candidate.outcome
    values = tuple(sorted(candidate.values.items())) if candidate is not None else ()
    decision = Decision(
        at_ms=state.now_ms,
        number=state.next_decision,
        ticker=prediction.ticker,
        prediction_key=prediction.key,
        signal=prediction.signal,
        confidence=prediction.confidence,
        outcome=outcome,
        refusal=refusal,
        values=values,
        order_ref="" if number is None else order_ref(state.session, prediction.ticker, number, Leg.ENTRY),
        side=candidate.side if candidate is not None else None,
        shares=plan.shares if plan is not None and number is not None else 0,
        price=plan.price if plan is not None else None,
        atr=candidate.book.atr.value if candidate is not None else None,
        capital_efficiency=plan.capital_efficiency if plan is not None else None,
    )
    state.next_decision += 1
    desk.out.append(RecordDecision(decision))


def enter(candidate: Candidate, plan: Plan, number: int) -> None:
    """Send the bracket of an accepted candidate."""
    desk, book, side = candidate.desk, candidate.book, candidate.side
    bracket = Bracket(
        number=number,
        side=side,
        entry=order_ref(desk.state.session, book.ticker, number, Leg.ENTRY),
        native=Legs(),
        atr=plan.atr,
        stop_distance=plan.stop_distance,
        target_distance=plan.target_distance,
        stop_price=plan.stop_price,
        target_price=plan.target_price,
        capital_efficiency=plan.capital_efficiency or 0.0,
    )
    entry = _entry_spec(candidate, bracket, plan)
    children = _leg_specs(desk, book, bracket, plan.shares)
    bracket.native = Legs(
        stop=children[Leg.STOP].order_ref,
        target=children[Leg.TARGET].order_ref,
        timed_exit=children[Leg.TIMED_EXIT].order_ref if Leg.TIMED_EXIT in children else "",
    )
    book.brackets[number] = bracket
    desk.place_bracket(book, number, entry, children)


def _entry_spec(candidate: Candidate, bracket: Bracket, plan: Plan) -> OrderSpec:
    """A market order, or a limit that trades at once or dies, capped against slippage."""
    params, action = candidate.desk.params, candidate.side.entry_action
    limit: Decimal | None = None
    if params.entry_kind is EntryKind.MARKETABLE_IOC:
        limit = through_market(candidate.book, action, params.entry_slippage_cap_fraction)
    return OrderSpec(
        order_ref=bracket.entry,
        ticker=candidate.book.ticker,
        action=action,
        kind=OrderKind.MARKET if limit is None else OrderKind.LIMIT,
        shares=plan.shares,
        limit_price=limit,
        time_in_force=TimeInForce.DAY if limit is None else TimeInForce.IOC,
    )


def _leg_specs(desk: Desk, book: Book, bracket: Bracket, shares: int) -> dict[Leg, OrderSpec]:
    """Stop, target and, where its time has not passed, the timed exit that makes the broker itself go flat."""

    session, ticker, number, action = desk.state.session, book.ticker, bracket.number, bracket.side.exit_action

    def spec(leg: Leg, kind: OrderKind, limit: Decimal | None, stop: Decimal | None, after_ms: int | None) -> OrderSpec:
        ref = order_ref(session, ticker, number, leg)
        return OrderSpec(ref, ticker, action, kind, shares, limit, stop, TimeInForce.DAY, after_ms, bracket.entry)

    specs = {
        Leg.STOP: spec(Leg.STOP, OrderKind.STOP, None, bracket.stop_price, None),
        Leg.TARGET: spec(Leg.TARGET, OrderKind.LIMIT, bracket.target_price, None, None),
    }
    if desk.state.now_ms < desk.plan.timed_exit_ms:
        specs[Leg.TIMED_EXIT] = spec(Leg.TIMED_EXIT, OrderKind.MARKET, None, None, desk.plan.timed_exit_ms)
    return specs
