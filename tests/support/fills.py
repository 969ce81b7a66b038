"""Executions for tests: by hand, and as hypothesis draws a day of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

from hypothesis import strategies as st

from core.ledger import Ledger
from core.orders import Execution, order_ref
from core.vocabulary import Action, Leg

SESSION = "DU1-20131007"
BUY, SELL = Action.BUY, Action.SELL


def execution(
    exec_id: str,
    action: Action,
    shares: int,
    price: str,
    time_ms: int = 0,
    number: int = 1,
    leg: Leg | None = Leg.ENTRY,
    ticker: str = "SOXL",
) -> Execution:
    """A fill of our order `number`; without a leg, one that is not ours."""
    ref = "" if leg is None else order_ref(SESSION, ticker, number, leg)
    return Execution(exec_id, ref, number, 1, 1000 + number, ticker, action, shares, Decimal(price), time_ms)


@dataclass(frozen=True)
class Reported:
    """A message to the ledger: an execution, or a commission."""

    execution: Execution | None = None
    exec_id: str = ""
    commission: Decimal | None = None

    def tell(self, ledger: Ledger) -> None:
        """Give the message to the ledger."""
        if self.execution is not None:
            ledger.record(self.execution)
        else:
            ledger.set_commission(self.exec_id, self.commission)


def ledger_of(*messages: Execution | Reported) -> Ledger:
    """A ledger that heard these, in this order."""
    ledger = Ledger()
    for message in messages:
        Reported(message).tell(ledger) if isinstance(message, Execution) else message.tell(ledger)
    return ledger


def commission(exec_id: str, amount: str | None) -> Reported:
    """A commission report."""
    return Reported(exec_id=exec_id, commission=None if amount is None else Decimal(amount))


prices = st.integers(1, 500_000).map(lambda cents: Decimal(cents) / 100)
amounts = st.integers(-200, 500).map(lambda cents: Decimal(cents) / 100)
times = st.integers(0, 5).map(lambda second: second * 1000)  # few, so that many fall into the same second


@st.composite
def executions(draw: st.DrawFn, exec_id: str) -> Execution:
    """A fill of one of few orders in two tickers, ours or not."""
    leg = draw(st.sampled_from([Leg.ENTRY, Leg.STOP, Leg.TARGET, None]))
    return execution(
        exec_id,
        draw(st.sampled_from(list(Action))),
        draw(st.integers(1, 300)),
        str(draw(prices)),
        draw(times),
        draw(st.integers(1, 3)),
        leg,
        draw(st.sampled_from(["SOXL", "GLD"])),
    )


@st.composite
def days(draw: st.DrawFn, max_size: int = 12) -> list[Reported]:
    """A day's executions, some of them corrected, with their commissions as far as reported; each message once."""
    messages: list[Reported] = []
    for number in range(draw(st.integers(0, max_size))):
        first = draw(executions(f"0001.{number:04x}.01.01"))
        revisions = [first]
        for revision in range(2, 2 + draw(st.sampled_from([0, 0, 0, 1, 2]))):
            corrected = replace(first, exec_id=f"0001.{number:04x}.01.{revision:02d}")
            revisions.append(replace(corrected, price=draw(prices), shares=draw(st.integers(0, 300))))
        messages += map(Reported, revisions)
        messages += [
            Reported(exec_id=one.exec_id, commission=draw(amounts)) for one in revisions if draw(st.booleans())
        ]
    return messages
