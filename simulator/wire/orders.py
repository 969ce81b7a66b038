"""openOrder (5) and completedOrder (101): 135 and 100 fields at version 178, defaults as recorded from real servers."""

from __future__ import annotations

from typing import Final

from simulator.model import Order, dollars
from simulator.wire import contracts, fields, versions
from simulator.wire.fields import UNSET_INTEGER_TEXT, UNSET_LONG_TEXT, UNSET_TEXT, flag
from simulator.wire.framing import payload_of
from simulator.wire.times import zoned_text

_CURRENCY: Final = "USD"


def open_order(version: int, order: Order, account: str) -> bytes:
    """5: the order as the server holds it; a whatIf answer when the request was one."""
    request = order.request
    extra = request.extras.get
    body = ["5", str(order.order_id), *contracts.echo(order.instrument, exchange=extra("exchange", ""))]
    body += [request.action, str(order.quantity), *_prices(order), order.tif, order.oca_group]
    body += [request.account or account, extra("openClose", ""), extra("origin", "0"), fields.text(request.order_ref)]
    body += [str(order.client_id), str(order.perm_id), flag(request.outside_rth), extra("hidden", "0")]
    body += [extra("discretionaryAmt", "0"), extra("goodAfterTime", ""), f"{order.perm_id}.0/{account}/100"]
    body += _advisor(order, version)
    body += [extra("auctionStrategy", "0"), "", "", "", "", "", extra("displaySize", UNSET_INTEGER_TEXT)]
    body += [extra("blockOrder", "0"), extra("sweepToFill", "0"), flag(request.all_or_none), extra("minQty", "")]
    body += [str(order.oca_type or 3), "0", "0", "", str(request.parent_id), extra("triggerMethod", "0")]
    body += ["", "0", "None", "", "0", "", "", "", "?", "0", "0", ""]
    body += ["0", "0", _trail_stop(order), extra("trailingPercent", ""), "", "", "", "0", "0", "0"]
    body += [*_SCALE_AND_HEDGE, extra("optOutSmartRouting", "0"), *_clearing(order)]
    body += [flag(request.what_if), order.status, *_margins(order)]
    body += [extra("randomizeSize", "0"), extra("randomizePrice", "0"), "0", "None", UNSET_TEXT, _stop_echo(order)]
    body += [_offset(order), UNSET_TEXT, UNSET_TEXT, UNSET_TEXT, "0"]
    body += [extra("softDollarTierName", ""), extra("softDollarTierValue", ""), "", extra("cashQty", "0")]
    body += [extra("dontUseAutoPriceForHedge", "1"), extra("isOmsContainer", "0")]
    body += [extra("discretionaryUpToLimitPrice", "0"), extra("usePriceMgmtAlgo", "0")]
    if version >= versions.DURATION:
        body.append(extra("duration", ""))
    if version >= versions.POST_TO_ATS:
        body.append(extra("postToAts", ""))
    if version >= versions.AUTO_CANCEL_PARENT:
        body.append(extra("autoCancelParent", "0"))
    if version >= versions.PEG_OFFSETS:
        body += [""] * 5
    return payload_of(body)


def completed_order(version: int, order: Order, account: str) -> bytes:
    """101: only ever an answer to reqCompletedOrders. The total is what had not filled, as recorded."""
    request = order.request
    extra = request.extras.get
    body = ["101", *contracts.echo(order.instrument, exchange=extra("exchange", ""))]
    body += [request.action, str(order.remaining), *_prices(order), order.tif, order.oca_group]
    body += [request.account or account, extra("openClose", ""), extra("origin", "0"), fields.text(request.order_ref)]
    body += [str(order.perm_id), flag(request.outside_rth), extra("hidden", "0"), extra("discretionaryAmt", "0")]
    body += [extra("goodAfterTime", ""), *_advisor(order, version)]
    body += ["", "", "", "", "", extra("displaySize", UNSET_INTEGER_TEXT), extra("sweepToFill", "0")]
    body += [flag(request.all_or_none), extra("minQty", ""), str(order.oca_type or 3), extra("triggerMethod", "0")]
    body += ["", "0", "None", "", "0", "0", "0", "", "0", "0", _trail_stop(order), extra("trailingPercent", "")]
    body += ["", "0", "0", "0", *_SCALE_AND_HEDGE, *_clearing(order), order.status]
    body += [extra("randomizeSize", "0"), extra("randomizePrice", "0"), "0", _stop_echo(order), _offset(order)]
    body += [extra("cashQty", "0"), extra("dontUseAutoPriceForHedge", "1"), extra("isOmsContainer", "0"), ""]
    body += [str(order.filled), UNSET_INTEGER_TEXT, extra("autoCancelParent", "0")]
    body += ["Not an insider or substantial shareholder", "0", "0", _parent_perm_id(order)]
    body += [zoned_text(order.completed_ms or order.placed_ms), fields.text(order.completed_status)]
    if version >= versions.PEG_OFFSETS:
        body += [""] * 5
    return payload_of(body)


_SCALE_AND_HEDGE: Final = [UNSET_INTEGER_TEXT, UNSET_INTEGER_TEXT, "", ""]


def _prices(order: Order) -> list[str]:
    """Order type, limit and auxiliary price; 0.0 where the order has none, as recorded."""
    request = order.request
    return [
        request.order_type,
        fields.price(dollars(request.limit_price or 0)),
        fields.price(dollars(request.aux_price or 0)),
    ]


def _parent_perm_id(order: Order) -> str:
    return UNSET_LONG_TEXT if order.parent is None else str(order.parent.perm_id)


def _advisor(order: Order, version: int) -> list[str]:
    """faGroup up to exemptCode, the part that both messages share."""
    extra = order.request.extras.get
    body = [extra("faGroup", ""), extra("faMethod", ""), extra("faPercentage", "")]
    if version < versions.NO_FA_PROFILE:
        body.append(extra("faProfile", ""))
    body += [extra("modelCode", ""), extra("goodTillDate", ""), extra("rule80A", ""), extra("percentOffset", "")]
    body += [extra("settlingFirm", ""), extra("shortSaleSlot", "0"), extra("designatedLocation", "")]
    return [*body, extra("exemptCode", "-1")]


def _trail_stop(order: Order) -> str:
    """The present stop of a trailing order; empty for all others."""
    if not order.request.order_type.startswith("TRAIL"):
        return ""
    stop = order.stop_price if order.stop_price is not None else order.request.trail_stop_price
    return "" if stop is None else fields.price(dollars(stop))


def _stop_echo(order: Order) -> str:
    """Where a trailing stop stands; real servers write the limit plus one dollar for limit orders, unset for others."""
    if order.request.order_type.startswith("TRAIL"):
        return _trail_stop(order) or UNSET_TEXT
    if order.request.order_type == "LMT" and order.request.limit_price is not None:
        return fields.price(dollars(order.request.limit_price + 10_000))
    return UNSET_TEXT


def _offset(order: Order) -> str:
    return order.request.extras.get("lmtPriceOffset", UNSET_TEXT)


def _clearing(order: Order) -> list[str]:
    """clearingAccount, clearingIntent, notHeld, deltaNeutralContract, algoStrategy, solicited."""
    extra = order.request.extras.get
    return [
        extra("clearingAccount", ""),
        extra("clearingIntent", "IB"),
        extra("notHeld", "0"),
        "0",
        "",
        extra("solicited", "0"),
    ]


def _margins(order: Order) -> list[str]:
    """Nine margins, commission, minimum, maximum, currency, warning; unset and empty but for a whatIf or a fill."""
    margins = order.margins
    if margins is None:
        commission = "" if order.commission is None else fields.price(dollars(order.commission))
        return [UNSET_TEXT] * 9 + [commission, "", "", _CURRENCY if commission else "", fields.text(order.warning)]
    before = (margins.initial_before, margins.maintenance_before, margins.equity_before)
    after = (margins.initial_after, margins.maintenance_after, margins.equity_after)
    amounts = [*before, *(late - early for early, late in zip(before, after, strict=True)), *after]
    warning = fields.text(margins.warning)
    return [fields.price(dollars(amount)) for amount in (*amounts, margins.commission)] + ["", "", _CURRENCY, warning]
