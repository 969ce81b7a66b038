"""Which order types there are and what sets them apart."""

from __future__ import annotations

from simulator.model import Order

ORDER_TYPES = ("MKT", "LMT", "STP", "STP LMT", "TRAIL", "MOC", "LOC")
REFUSED_TYPES = frozenset(
    {"MIDPRICE", "REL", "PEG MID", "PEG MKT", "PEG BEST", "PEG BENCH", "BOX TOP", "MTL", "MKT PRT", "LIT", "MIT", "VOL"}
    | {
        "TRAIL LIMIT",
        "TRAIL MIT",
        "TRAIL LIT",
        "SNAP MID",
        "SNAP MKT",
        "SNAP PRIM",
        "STP PRT",
        "PASSV REL",
        "LMT + MKT",
    }
)
"""Known to TWS, refused by this exchange (387); anything else is an invalid type (321)."""
TIFS = ("DAY", "GTC", "GTD", "IOC", "FOK", "OPG")
STOPS = frozenset({"STP", "STP LMT", "TRAIL"})
LIMITED = frozenset({"LMT", "STP LMT", "LOC"})
_RTH_ONLY = frozenset({"MKT", "MOC", "LOC"})


def is_market(order: Order) -> bool:
    """Takes the touch at any price once it works."""
    return order.request.order_type not in LIMITED


def awaits_trigger(order: Order) -> bool:
    """A stop that has not been touched off."""
    return order.request.order_type in STOPS and not order.triggered


def is_auction(order: Order) -> bool:
    """Fills in the opening or closing auction only."""
    return order.request.order_type in ("MOC", "LOC") or order.tif == "OPG"


def works_outside_rth(order: Order) -> bool:
    """outsideRth, for the types that heed it."""
    return order.request.outside_rth and order.request.order_type not in _RTH_ONLY and not is_auction(order)


def is_immediate(order: Order) -> bool:
    """Fills at once or not at all."""
    return order.tif in ("IOC", "FOK")
