"""What the laws of the engine say of a whole day, apart from how the day is made."""

from __future__ import annotations

from hypothesis import strategies as st

from core import commands as c
from core import events as e
from core.engine import Engine
from core.params import Params
from core.state import ExitStep
from core.vocabulary import Action, Leg, OrderKind
from tests.support.model_broker import Doubts, ModelBroker
from tests.support.playbook import PLAN

DOUBTS = st.builds(
    Doubts,
    arm_on_part=st.booleans(),
    cancel_takes_children=st.booleans(),
    cancel_takes_siblings=st.booleans(),
    timed_exit_refused=st.booleans(),
    siblings_may_fill=st.booleans(),
    reduces_siblings=st.booleans(),
    positions_lag=st.booleans(),
)
"""Every variant of what is in doubt about the broker."""


def must_be_covered(engine: Engine, broker: ModelBroker, ticker: str) -> None:
    """Once all is calm: our working stops cover exactly what we hold, and a flat ticker has nothing working."""
    book, working = engine.state.books[ticker], broker.working(ticker)
    position = broker.positions.get(ticker, 0) - book.foreign_shares
    assert book.position == position
    assert {order.spec.order_ref for order in working} == set(book.orders)
    if position == 0:
        assert not working, "flat, but something still works"
        assert book.exit is None
        return
    if book.exit is not None:
        assert book.exit.step is ExitStep.PAUSED
    entering = [order for order in working if order.leg == Leg.ENTRY]
    stops = [order for order in working if order.leg in (Leg.STOP, Leg.EMERGENCY_STOP) and order.armed]
    if entering:
        assert sum(order.remaining for order in stops) >= abs(position)
    else:
        assert sum(order.remaining for order in stops) == abs(position), "stops do not cover the position exactly"
        for legs in ((Leg.TARGET, Leg.EMERGENCY_TARGET), (Leg.TIMED_EXIT,)):
            exits = sum(order.remaining for order in working if order.leg in legs)
            assert exits <= abs(position), f"more {legs[0]} than position"
    against = Action.SELL if position > 0 else Action.BUY
    assert all(order.spec.action is against for order in working if order.leg != Leg.ENTRY)


def cover_must_be_real(engine: Engine, broker: ModelBroker, ticker: str) -> None:
    """What the engine takes for covered, is: the broker has stops that work for at least as much."""
    book = engine.state.books[ticker]
    if book.exposed_since_ms is None:
        stops = [order for order in broker.working(ticker) if order.spec.kind is OrderKind.STOP and order.armed]
        assert sum(order.remaining for order in stops) >= abs(book.position), "a cover is imagined"


def replayed(params: Params, journal: list[tuple[e.Event, c.Commands]]) -> Engine:
    """A new engine, brought to where the journal ends; every command must come out as it did."""
    engine = Engine(params, PLAN)
    for event, commands in journal:
        assert engine.step(event) == commands, f"the replay differs at {event}"
    return engine


def alerts_must_be_true(engine: Engine, ticker: str) -> None:
    """What tells a person to watch or to act is over once its cause is."""
    book, open_ones = engine.state.books[ticker], engine.state.alerts
    assert "link" not in open_ones
    assert (f"hanging/{ticker}" in open_ones) is any(order.hangs for order in book.orders.values())
    if book.exit is None:
        assert not {f"exit/{ticker}", f"overnight/{ticker}"} & open_ones.keys()
