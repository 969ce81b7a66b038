"""When stops go off and how trailing ones follow the market (IB's trigger methods)."""

from __future__ import annotations

from simulator.exchange.floor import Floor, Touch
from simulator.exchange.kinds import awaits_trigger
from simulator.exchange.lifecycle import refresh
from simulator.market.instruments import increment_at
from simulator.model import Order, Price, Trade

DEFAULT, DOUBLE_BID_ASK, LAST, DOUBLE_LAST, BID_ASK, LAST_OR_BID_ASK, MIDPOINT = 0, 1, 2, 3, 4, 7, 8
_DOUBLE = frozenset({DOUBLE_BID_ASK, DOUBLE_LAST})


def arm(floor: Floor, order: Order) -> None:
    """A stop begins to watch: it gets its first price and goes off at once when the market is already there."""
    if not awaits_trigger(order):
        return
    touch = floor.touch(order.instrument)
    if order.stop_price is None:
        order.stop_price = _first_price(order, touch)
    watch(floor, order, None)


def watch(floor: Floor, order: Order, trade: Trade | None) -> None:
    """Compare with the second that has just ended (`trade` None: with the standing last price)."""
    if not awaits_trigger(order) or order.stop_price is None:
        return
    touch = floor.touch(order.instrument)
    high, low = _range_seen(order, touch, trade)
    if high == 0:
        return
    reached = high >= order.stop_price if order.side > 0 else low <= order.stop_price
    order.trigger_hits = order.trigger_hits + 1 if reached else 0
    if order.trigger_hits >= (2 if order.request.trigger_method in _DOUBLE else 1):
        order.triggered = True
        refresh(floor, order)
    elif order.request.order_type == "TRAIL":
        _trail(order, high, low)


def _range_seen(order: Order, touch: Touch, trade: Trade | None) -> tuple[Price, Price]:
    """The highest and lowest price that counts for the order's trigger method; zeros when there is none."""
    quote, method = touch.quote, order.request.trigger_method
    if method in (BID_ASK, DOUBLE_BID_ASK):
        # A buy stop watches the ask, a sell stop the bid.
        price = quote.ask if order.side > 0 else quote.bid
        return price, price
    if method == MIDPOINT:
        middle = (quote.bid + quote.ask) // 2 if quote.bid and quote.ask else 0
        return middle, middle
    if trade is not None:
        high, low = trade.high, trade.low
    else:
        high = low = touch.last.price if touch.last is not None else 0
    if method == LAST_OR_BID_ASK:
        return max(high, quote.ask), min(low, quote.bid) if quote.bid else low
    return high, low


def _first_price(order: Order, touch: Touch) -> Price | None:
    request = order.request
    if request.order_type != "TRAIL":
        return request.aux_price
    if request.trail_stop_price is not None:
        return request.trail_stop_price
    mark = touch.mark()
    return _trailed(order, mark) if mark else None


def _trail(order: Order, high: Price, low: Price) -> None:
    assert order.stop_price is not None
    if order.side < 0:
        order.stop_price = max(order.stop_price, _trailed(order, high))
    else:
        order.stop_price = min(order.stop_price, _trailed(order, low))


def _trailed(order: Order, price: Price) -> Price:
    """The stop that goes with a price: its distance below (a sell) or above it, rounded away from the market."""
    request = order.request
    percent = request.trailing_percent
    distance = int(price * percent / 100) if percent is not None else request.aux_price or 0
    tick = increment_at(order.instrument.market_rule_id, price)
    raw = price + order.side * distance
    return raw // tick * tick if order.side < 0 else -(-raw // tick) * tick
