"""Commands in words, for playbooks: a difference reads as a difference between two short lists of text."""

from __future__ import annotations

from core import commands as c
from core.orders import OrderSpec
from core.vocabulary import OrderKind, TimeInForce


def in_words(command: c.Command, with_reads: bool = False) -> str | None:
    """The command in words; None for what playbooks leave out."""
    return _order_command(command) or _report(command, with_reads)


def _order_command(command: c.Command) -> str | None:
    match command:
        case c.PlaceBracket(entry, children):
            return "; ".join(["bracket", *(order_in_words(spec) for spec in (entry, *children))])
        case c.PlaceOrders(orders):
            return "; ".join(["place", *(order_in_words(spec) for spec in orders)])
        case c.ModifyOrder(ref, shares, limit, stop):
            return f"modify {name_of(ref)}: {shares} at {limit or stop or 'the same price'}"
        case c.CancelOrder(ref, perm_id):
            return f"cancel {name_of(ref)}" + (f" permId {perm_id}" if perm_id else "")
        case c.CancelEverything():
            return "cancel everything"
        case _:
            return None


def _report(command: c.Command, with_reads: bool) -> str | None:
    match command:
        case c.RecordDecision(decision):
            return f"refused: {decision.refusal}" if decision.refusal else f"decided: {decision.outcome}"
        case c.RecordTrade(trade):
            if trade.commissions is None:
                return None
            return f"trade: {trade.side} {trade.shares} {trade.exit_reason} {trade.gross_pnl:+.2f}"
        case c.ForgetTrade(number):
            return f"no trade any more: {number}"
        case c.RecordPhase(_, phase, _):
            return f"phase: {phase}"
        case c.RaiseAlert(alert):
            return f"{alert.severity}: {alert.key.partition('/')[0]}"
        case c.ClearAlert(_, key, _):
            return f"over: {key.partition('/')[0]}"
        case c.ReadBroker(reason):
            return f"read: {reason}" if with_reads else None
        case c.ReadHistory(ticker):
            return f"read history: {ticker}"
        case _:
            return None


def order_in_words(spec: OrderSpec) -> str:
    """An order: its name, what it does, and what is unusual about it."""
    price = {OrderKind.LIMIT: f" at {spec.limit_price}", OrderKind.STOP: f" at {spec.stop_price}"}.get(spec.kind, "")
    force = "" if spec.time_in_force is TimeInForce.DAY else f" {spec.time_in_force}"
    group = " in a group" if spec.oca_group else ""
    return f"{name_of(spec.order_ref)} {spec.action} {spec.shares}{price}{force}{group}"


def name_of(ref: str) -> str:
    """Leg and number of a reference."""
    _, _, number, leg = ref.split("/")
    return f"{leg}#{number}"


# --- the words of a playbook's `then` -------------------------------------------------------------------------------

ENTERS, REVERSES, SCALES_IN = "decided: enter", "decided: reverse", "decided: scale_in"


def refused(reason: str) -> str:
    """A decision against."""
    return f"refused: {reason}"


def bracket(number: int, entry: str, shares: int, stop: str, target: str, *, timed_exit: bool = True) -> str:
    """`bracket(1, "BUY", 133, "74.80", "75.25")`: entry, stop, target and the timed exit."""
    leg = "SELL" if entry.startswith("BUY") else "BUY"
    words = [
        "bracket",
        f"entry#{number} {entry.partition(' ')[0]} {shares}" + entry[len(entry.partition(" ")[0]) :],
        f"stop#{number} {leg} {shares} at {stop}",
        f"target#{number} {leg} {shares} at {target}",
    ]
    return "; ".join([*words, f"timed_exit#{number} {leg} {shares}"] if timed_exit else words)


def modifies(name: str, shares: int, price: str = "the same price") -> str:
    """A leg is changed in place."""
    return f"modify {name}: {shares} at {price}"


def emergency(number: int, action: str, shares: int, stop: str, target: str) -> str:
    """A stand-alone group of stop and target."""
    return (
        f"place; emergency_stop#{number} {action} {shares} at {stop} in a group; "
        f"emergency_target#{number} {action} {shares} at {target} in a group"
    )


def market_exit(number: int, action: str, shares: int, leg: str = "exit") -> str:
    """A market order of the exit protocol."""
    return f"place; {leg}#{number} {action} {shares}"
