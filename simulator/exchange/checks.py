"""What is refused before anything becomes of an order: TWS's codes and words."""

from __future__ import annotations

from typing import NamedTuple

from simulator.exchange.floor import Floor
from simulator.exchange.kinds import LIMITED, ORDER_TYPES, REFUSED_TYPES, TIFS
from simulator.market.instruments import increment_at
from simulator.model import Order, OrderRequest, Price

_PRICE_VARIATION = "The price does not conform to the minimum price variation for this contract."
_AUCTION_CUTOFF_MS = 10 * 60_000


class Refusal(NamedTuple):
    """A code and its text."""

    code: int
    text: str


def invalid(cause: str) -> Refusal:
    """TWS's validation error."""
    return Refusal(321, f"Error validating request.-'bF' : cause - {cause}")


def rejected(reason: str) -> Refusal:
    """The broker's rejection."""
    return Refusal(201, f"Order rejected - reason:{reason}")


def check_form(floor: Floor, request: OrderRequest) -> Refusal | None:
    """Whether a request makes sense by itself, new or as a modification."""
    if request.action not in ("BUY", "SELL", "SSHORT"):
        return invalid("Invalid side")
    if request.order_type in REFUSED_TYPES:
        return Refusal(387, "Unsupported order type for this exchange and security type.")
    if request.order_type not in ORDER_TYPES:
        return invalid("Invalid order type was entered")
    if request.tif not in (*TIFS, ""):
        return invalid("Invalid time in force was entered")
    if request.tif == "GTD" and request.good_till_ms is None:
        return invalid("Good till date is missing for a GTD order")
    if request.account not in ("", floor.account.name):
        return invalid("Invalid account code")
    return _check_quantity(request) or _check_prices(request)


def _check_quantity(request: OrderRequest) -> Refusal | None:
    if not request.quantity.is_finite() or request.quantity < 0:
        return invalid("Invalid quantity was entered")
    if request.quantity == 0:
        return Refusal(434, "The order size cannot be zero.")
    if request.quantity != int(request.quantity):
        return Refusal(10243, "Fractional-sized order cannot be placed via API.")
    return None


def _check_prices(request: OrderRequest) -> Refusal | None:
    kind = request.order_type
    if kind in LIMITED and request.limit_price is None:
        return invalid("Limit price is missing")
    if kind in ("STP", "STP LMT") and request.aux_price is None:
        return invalid("Stop price is missing")
    if kind == "TRAIL" and request.aux_price is None and request.trailing_percent is None:
        return invalid("Trailing amount is missing")
    if request.trailing_percent is not None and not 0 < request.trailing_percent < 100:
        return invalid("Invalid trailing percent was entered")
    used: list[Price | None] = []
    if kind in LIMITED:
        used.append(request.limit_price)
    if kind in ("STP", "STP LMT", "TRAIL"):
        used += [request.aux_price, request.trail_stop_price if kind == "TRAIL" else None]
    prices = [price for price in used if price is not None]
    if any(price <= 0 for price in prices):
        return invalid("Invalid price was entered")
    rule = request.instrument.market_rule_id
    if request.price_off_grid or any(price % increment_at(rule, price) for price in prices):
        return Refusal(110, _PRICE_VARIATION)
    return None


def check_auction(floor: Floor, request: OrderRequest) -> Refusal | None:
    """MOC and LOC are taken until ten minutes before the close."""
    close_ms = floor.hours.regular_close_ms
    if request.order_type in ("MOC", "LOC") and close_ms - _AUCTION_CUTOFF_MS < floor.clock.now_ms < close_ms:
        return rejected("The time for placing MOC and LOC orders has passed.")
    return None


def check_modification(floor: Floor, order: Order, request: OrderRequest) -> Refusal | None:
    """Whether a live order may be changed like this; the order stays as it is otherwise."""
    if request.instrument is not order.instrument or _side(request.action) != order.side:
        return Refusal(105, "Order being modified does not match original order.")
    parent = order.parent
    if (
        floor.doubts.modify_with_parent_id == "error_135"
        and request.parent_id
        and parent is not None
        and not parent.is_live
    ):
        return Refusal(135, f"Can't find order with id ={request.parent_id}")
    if floor.doubts.explicit_child_group == "refuse_modify" and order.explicit_group:
        return Refusal(10326, "OCA group revision is not allowed.")
    if request.oca_group not in ("", order.oca_group):
        return Refusal(10326, "OCA group revision is not allowed.")
    refusal = check_form(floor, request)
    if refusal is None and _total_wanted(floor, order, request) < order.filled:
        refusal = rejected("The order size is smaller than what has been filled.")
    return refusal


def _total_wanted(floor: Floor, order: Order, request: OrderRequest) -> int:
    return int(request.quantity) + (0 if floor.doubts.quantity_counts_filled else order.filled)


def modified_quantity(floor: Floor, order: Order, request: OrderRequest) -> int:
    """The order's new total: filled shares count in it, or (a doubt) come on top."""
    return _total_wanted(floor, order, request)


def _side(action: str) -> int:
    return 1 if action == "BUY" else -1


def check_means(floor: Floor, order: Order) -> Refusal | None:
    """Margin, cash and borrowable shares, for an order that is not attached to another."""
    account, instrument = floor.account, order.instrument
    held = account.ledger.quantity(instrument.con_id)
    signed = order.side * order.remaining
    short = max(0, -(held + signed)) - max(0, -held)
    if short > 0 and account.cash_only:
        return rejected("Short sale is not allowed in a cash account.")
    if short > 0 and floor.doubts.unshortable == "reject" and short > floor.touch(instrument).shortable:
        return rejected("The contract is not available for short sale.")
    if held * signed < 0 and abs(signed) <= abs(held):
        return None  # it only reduces
    now = account.margin()
    then = account.margin(pending_shares(floor, order))
    if then.initial > now.equity and then.initial > now.initial:
        return rejected(
            "YOUR ORDER IS NOT ACCEPTED. IN ORDER TO OBTAIN THE DESIRED POSITION YOUR EQUITY WITH LOAN VALUE "
            f"[{now.equity / 10_000:.2f} USD] MUST EXCEED THE INITIAL MARGIN [{then.initial / 10_000:.2f} USD]"
        )
    return None


def pending_shares(floor: Floor, order: Order) -> dict[int, int]:
    """Signed shares by conId if this order and all live ones that are not attached filled."""
    changes = {order.instrument.con_id: order.side * order.remaining}
    for other in floor.orders.live():
        if other is not order and other.transmitted and other.parent is None and not other.oca_group:
            con_id = other.instrument.con_id
            changes[con_id] = changes.get(con_id, 0) + other.side * other.remaining
    return changes
