"""How the tables follow what the broker says, whatever the order in which it says it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from core.codec import encode
from core.commands import Command, ForgetTrade, PlaceOrders, RaiseAlert, RecordPhase, RecordTrade
from core.events import (
    BrokerRead,
    CommissionReported,
    Event,
    ExecutionReported,
    OrderErrorReported,
    OrderReported,
    OrderStatusReported,
    Woke,
)
from core.orders import Execution, OpenOrder, OrderSpec
from core.records import Alert, Trade
from core.vocabulary import Action, ErrorKind, ExitReason, OrderKind, OrderStatus, Phase, Severity, Side
from db.journal import Journal, JournalRow
from db.queries import read_view, trades
from tests.support.journals import SESSION
from tests.support.shipping import ship_all, tables

REF = f"{SESSION}/CVNA/1/stop"
SPEC = OrderSpec(REF, "CVNA", Action.SELL, OrderKind.STOP, 100, stop_price=Decimal("19.70"))
ECHO = OpenOrder(REF, 5, 7, 500, "CVNA", Action.SELL, "STP", 100, OrderStatus.PRE_SUBMITTED)
FILL = Execution("00aa.1.01", REF, 5, 7, 500, "CVNA", Action.SELL, 60, Decimal("19.69"), 1_717_594_300_000, "ARCA")
D = Decimal
NONE = (None, None, 0)
"""What a trade knows beyond its fills."""
PLACED = (Woke(0, "x"), (PlaceOrders((SPEC,)),))


def status(word: OrderStatus, filled: int = 0) -> Event:
    return OrderStatusReported(0, REF, 500, word, filled, 100 - filled, "")


def read_back(*orders: OpenOrder) -> Event:
    return BrokerRead(0, orders, (), ())


def error(kind: ErrorKind) -> Event:
    return OrderErrorReported(0, REF, 201, kind, "because")


class Played:
    """What the tables hold after these events, each 1 s after the other, with the commands given beside them."""

    def __init__(self, folder: Path, url: str, steps: Sequence[Event | tuple[Event, tuple[Command, ...]]]) -> None:
        pairs = [step if isinstance(step, tuple) else (step, ()) for step in steps]
        with Journal.open(folder, SESSION) as journal:
            begin = journal.last_sequence + 1
            journal.append(
                [
                    JournalRow(number, 1_000 * number, encode(event), encode(commands) if commands else "")
                    for number, (event, commands) in enumerate(pairs, start=begin)
                ]
            )
            ship_all(journal, url)
        self.url = url

    def rows(self, table: str) -> list[dict[str, str]]:
        return tables(self.url)[table]

    def order(self) -> dict[str, str]:
        (row,) = self.rows("orders")
        return row


@pytest.fixture
def play(tmp_path: Path, postgres_url: str) -> Any:
    return lambda *steps: Played(tmp_path, postgres_url, steps)


def test_an_order_is_in_the_table_before_the_broker_has_said_anything(play: Any) -> None:
    order = play(PLACED).order()
    assert (order["leg"], order["number"], order["stop_price"], order["status"]) == ("stop", "1", "19.70", "None")
    assert order["placed_at"] == "1970-01-01 00:00:01+00:00"


@pytest.mark.parametrize("late", [status(OrderStatus.SUBMITTED), OrderReported(0, ECHO)])
def test_a_late_message_does_not_bring_an_ended_order_back(play: Any, late: Event) -> None:
    order = play(PLACED, status(OrderStatus.CANCELLED), late).order()
    assert (order["status"], order["ended_at"]) == ("Cancelled", "1970-01-01 00:00:02+00:00")


def test_a_fill_after_the_cancel_counts_and_nothing_after_it(play: Any) -> None:
    words = [OrderStatus.CANCELLED, OrderStatus.FILLED, OrderStatus.CANCELLED]
    order = play(PLACED, *(status(word, filled=100) for word in words)).order()
    assert (order["status"], order["filled"], order["ended_at"]) == ("Filled", "100", "1970-01-01 00:00:02+00:00")


def test_filled_shares_never_go_down(play: Any) -> None:
    reports = [status(OrderStatus.SUBMITTED, filled) for filled in (40, 60, 40)]
    assert play(PLACED, *reports).order()["filled"] == "60"


def test_a_read_back_brings_a_live_order_back_and_ends_what_it_does_not_list(play: Any) -> None:
    played = play(PLACED, status(OrderStatus.CANCELLED), read_back(ECHO))
    assert (played.order()["status"], played.order()["ended_at"]) == ("PreSubmitted", "None")
    assert play(read_back()).order()["ended_at"] == "1970-01-01 00:00:04+00:00"


def test_a_read_back_says_nothing_of_an_order_still_on_its_way(play: Any) -> None:
    assert play(PLACED, read_back()).order()["ended_at"] == "None"


@pytest.mark.parametrize(
    ("before", "kind", "ended"),
    [
        ((), ErrorKind.REJECTED, True),
        ((status(OrderStatus.SUBMITTED),), ErrorKind.CANCELLED, True),
        ((), ErrorKind.NOT_FOUND, True),
        ((status(OrderStatus.SUBMITTED),), ErrorKind.NOT_FOUND, False),
        ((status(OrderStatus.SUBMITTED),), ErrorKind.MODIFY_REFUSED, False),
        ((), ErrorKind.WARNING, False),
    ],
)
def test_which_errors_end_an_order(play: Any, before: tuple[Event, ...], kind: ErrorKind, ended: bool) -> None:
    order = play(PLACED, *before, error(kind)).order()
    assert (order["ended_at"] != "None") is ended
    assert (order["error_code"], order["error_text"]) == ("201", "because")


def test_the_echo_tells_how_the_broker_has_the_order(play: Any) -> None:
    changed = replace(ECHO, shares=60, stop_price=Decimal("19.80"), oca_group="500")
    order = play(PLACED, OrderReported(0, changed)).order()
    assert (order["shares"], order["stop_price"], order["oca_group"]) == ("60", "19.80", "500")
    assert (order["order_id"], order["client_id"], order["perm_id"]) == ("5", "7", "500")


def test_an_adopted_order_of_another_day_is_kept_and_a_foreign_one_is_not(play: Any) -> None:
    yesterdays = replace(ECHO, order_ref="DU1234567-20240604/CVNA/9/overnight_stop")
    foreign = replace(ECHO, order_ref="")
    played = play(OrderReported(0, yesterdays), OrderReported(0, foreign), status(OrderStatus.SUBMITTED))
    assert [row["session"] for row in played.rows("orders")] == ["DU1234567-20240604"]
    assert [row["trade_date"] for row in played.rows("sessions")] == ["2024-06-04", "2024-06-05"]


@pytest.mark.parametrize(
    "ref", ["a/b/1/c", "DU1234567-20241399/CVNA/1/stop", "DU1234567-2024/CVNA/1/stop", "DU7-20240605/CVNA/1/stop"]
)
def test_a_reference_of_other_people_s_that_looks_like_ours_stops_nothing(play: Any, ref: str) -> None:
    fill, echo = replace(FILL, order_ref=ref), replace(ECHO, order_ref=ref)
    played = play(OrderReported(0, echo), ExecutionReported(0, fill), BrokerRead(0, (echo,), (fill,), ()))
    assert [(row["order_ref"], row["session"]) for row in played.rows("executions")] == [(ref, "None")]
    assert played.rows("orders") == []
    assert [row["session"] for row in played.rows("sessions")] == [SESSION]


def test_an_order_that_closes_other_people_s_shares_is_the_session_s_and_what_it_sells_is_not(play: Any) -> None:
    spec = replace(SPEC, order_ref=f"{SESSION}+account/CVNA/1/exit", kind=OrderKind.MARKET, stop_price=None)
    echo, fill = (replace(one, order_ref=spec.order_ref) for one in (ECHO, FILL))
    filled = OrderStatusReported(0, spec.order_ref, 500, OrderStatus.FILLED, 100, 0, "")
    played = play((Woke(0, "x"), (PlaceOrders((spec,)),)), OrderReported(0, echo), ExecutionReported(0, fill), filled)
    order = played.order()
    assert (order["session"], order["leg"], order["filled"]) == (SESSION, "exit", "100")
    assert [(row["order_ref"], row["session"]) for row in played.rows("executions")] == [(spec.order_ref, "None")]
    assert read_view(played.url, "v_positions") == []


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_fill_correction_and_commissions_count_once_in_any_order(play: Any, order: tuple[int, ...]) -> None:
    reports: list[Event] = [
        ExecutionReported(0, FILL),
        ExecutionReported(0, replace(FILL, exec_id="00aa.1.02", shares=50)),
        CommissionReported(0, FILL.exec_id, Decimal("1.00"), None),
        CommissionReported(0, "00aa.1.02", Decimal("-0.20"), Decimal("3.10")),
    ]
    once = [reports[index] for index in order]
    played = play(*once, *once)
    assert len(played.rows("executions")) == len(played.rows("commissions")) == 2
    (counts,) = read_view(played.url, "v_executions")
    assert (counts["shares"], counts["commission"], counts["corrected"]) == (50, Decimal("-0.20"), True)


def test_a_corrected_fill_keeps_its_commission_until_the_correction_has_one(play: Any) -> None:
    """As in the ledger: else the sum over v_executions is not that over v_trades."""
    corrected = replace(FILL, exec_id="00aa.1.02", price=Decimal("19.70"))
    played = play(
        ExecutionReported(0, FILL),
        CommissionReported(0, FILL.exec_id, Decimal("1.00"), Decimal("3.10")),
        ExecutionReported(0, corrected),
    )
    (row,) = read_view(played.url, "v_executions")
    assert (row["price"], row["commission"], row["realized_pnl"]) == (corrected.price, Decimal("1.00"), Decimal("3.10"))
    later = play(CommissionReported(0, corrected.exec_id, Decimal("0.70"), None))
    (row,) = read_view(later.url, "v_executions")
    assert (row["commission"], row["realized_pnl"]) == (Decimal("0.70"), Decimal("3.10"))


def test_a_commission_without_a_figure_stays_pending(play: Any) -> None:
    played = play(ExecutionReported(0, FILL), CommissionReported(0, FILL.exec_id, None, None))
    assert played.rows("commissions") == []
    assert read_view(played.url, "v_executions")[0]["commission"] is None


def test_executions_of_a_read_back_and_foreign_ones_are_kept(play: Any) -> None:
    by_hand = replace(FILL, exec_id="00bb.1.01", order_ref="")
    played = play(BrokerRead(0, (), (FILL, by_hand), ()), ExecutionReported(0, FILL))
    assert [(row["exec_id"], row["session"]) for row in played.rows("executions")] == [
        ("00aa.1.01", SESSION),
        ("00bb.1.01", "None"),
    ]
    assert read_view(played.url, "v_positions") == [
        {"session": SESSION, "ticker": "CVNA", "shares": -60, "cash": Decimal("1181.40")}
    ]


def test_a_trade_that_is_none_any_more_is_gone_and_its_number_may_come_again(play: Any) -> None:
    """Within one batch too; what forgets a trade that was never recorded does nothing."""
    annulled, other = (
        Trade(SESSION, number, "CVNA", Side.LONG, 60, 0, 1, D("19"), D("20"), D("60"), None, ExitReason.STOP, *NONE)
        for number in (1, 2)
    )
    recorded = [(Woke(0, "x"), (RecordTrade(trade),)) for trade in (annulled, other)]
    forgotten = (Woke(0, "x"), (ForgetTrade(1), ForgetTrade(3)))
    played = play(*recorded, forgotten)
    assert trades(played.url, SESSION) == (other,)
    again = replace(annulled, shares=50, commissions=D("1"))
    played = play(recorded[0], forgotten, (Woke(0, "x"), (RecordTrade(again),)))
    assert trades(played.url, SESSION) == (again, other)


def test_a_halt_is_remembered_and_closed_is_not_for_ever(play: Any) -> None:
    phases = [Phase.TRADING, Phase.HALTED, Phase.CLOSED, Phase.CLOSING]
    steps = [(Woke(0, "x"), (RecordPhase(1_000 * n, phase, "why"),)) for n, phase in enumerate(phases, 1)]
    (session,) = play(*steps).rows("sessions")
    assert (session["phase"], session["halted_at"]) == ("closing", "1970-01-01 00:00:02+00:00")
    assert session["closed_at"] == "None"


def test_two_alerts_of_one_event_are_two_rows(play: Any) -> None:
    alert = Alert(1_000, Severity.INFO, "a", "t", "x")
    both = (RaiseAlert(alert), RaiseAlert(replace(alert, key="b")))
    assert [row["key"] for row in play((Woke(0, "x"), both)).rows("alerts")] == ["a", "b"]
