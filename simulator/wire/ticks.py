"""Tails of tick messages: what follows `id, version, reqId`, made once and sent to every subscriber.

Sizes are shares from version 159 on and lots of 100 before. Delayed ticks carry the same values under other numbers.
"""

from __future__ import annotations

from typing import Final

from simulator.model import ASK, ASK_SIZE, BID, BID_SIZE, DayFigures, Quote, Trade
from simulator.wire import versions
from simulator.wire.bars import price_bytes

Tail = tuple[bytes, bytes]
"""(head up to the request id, tail after it)."""

PRICE_HEAD: Final = b"1\x006\x00"
SIZE_HEAD: Final = b"2\x006\x00"
GENERIC_HEAD: Final = b"45\x006\x00"
STRING_HEAD: Final = b"46\x006\x00"

DELAYED: Final = {1: 66, 2: 67, 4: 68, 6: 72, 7: 73, 9: 75, 14: 76, 0: 69, 3: 70, 5: 71, 8: 74, 45: 88}


class TickWriter:
    """Writes the tails for one meaning: shares or lots, live or delayed numbers."""

    def __init__(self, in_lots: bool, delayed: bool) -> None:
        self._per = 100 if in_lots else 1
        self._number = DELAYED if delayed else {number: number for number in DELAYED}

    def _price(self, kind: int, price: int, size: int, mask: bytes = b"0") -> Tail:
        return PRICE_HEAD, b"\x00%d\x00%s\x00%d\x00%s\x00" % (
            self._number[kind],
            price_bytes(price),
            size // self._per,
            mask,
        )

    def _size(self, kind: int, size: int) -> Tail:
        return SIZE_HEAD, b"\x00%d\x00%d\x00" % (self._number[kind], size // self._per)

    def quote(self, quote: Quote, changed: int) -> list[Tail]:
        """A price with its size when the price changed, the size alone when only that did; an empty side is -1."""
        tails = []
        if changed & BID:
            tails.append(self._price(1, quote.bid or -10_000, quote.bid_size, b"1"))
        elif changed & BID_SIZE:
            tails.append(self._size(0, quote.bid_size))
        if changed & ASK:
            tails.append(self._price(2, quote.ask or -10_000, quote.ask_size, b"1"))
        elif changed & ASK_SIZE:
            tails.append(self._size(3, quote.ask_size))
        return tails

    def trade(self, trade: Trade, day_volume: int, price_changed: bool) -> list[Tail]:
        """Time of the trade, last price with its size or the size alone, and the day's volume."""
        return [
            (STRING_HEAD, b"\x00%d\x00%d\x00" % (self._number[45], trade.time_ms // 1000)),
            self._price(4, trade.price, trade.size) if price_changed else self._size(5, trade.size),
            self._size(8, day_volume),
        ]

    def high(self, price: int) -> Tail:
        """A new high of the day."""
        return self._price(6, price, 0)

    def low(self, price: int) -> Tail:
        """A new low of the day."""
        return self._price(7, price, 0)

    def opening(self, quote: Quote, trade: Trade | None, figures: DayFigures) -> list[Tail]:
        """The first ticks of a subscription: all that is known at that moment."""
        tails = self.quote(quote, BID | ASK) if quote.bid or quote.ask else []
        if trade is not None:
            tails += self.trade(trade, figures.volume, price_changed=True)
        for kind, price in ((14, figures.open), (6, figures.high), (7, figures.low), (9, figures.previous_close)):
            if price:
                tails.append(self._price(kind, price, 0))
        return tails


WRITERS: Final = {(lots, late): TickWriter(lots, late) for lots in (False, True) for late in (False, True)}


def writer(version: int, delayed: bool) -> TickWriter:
    """The writer for a client's version."""
    return WRITERS[version < versions.TICKS_IN_SHARES, delayed]


def generic(kind: int, value: str) -> Tail:
    """45: halted (49) and shortable (46)."""
    return GENERIC_HEAD, f"\0{kind}\0{value}\0".encode()


def shortable_shares(shares: int) -> Tail:
    """2 of type 89: how many shares can be borrowed, in shares at every version."""
    return SIZE_HEAD, b"\x0089\x00%d\x00" % shares


def tick_by_tick_last(request_id: int, kind: int, trade: Trade, exchange: str) -> bytes:
    """99 of types 1 Last and 2 AllLast."""
    return b"99\x00%d\x00%d\x00%d\x00%s\x00%d\x000\x00%s\x00\x00" % (
        request_id,
        kind,
        trade.time_ms // 1000,
        price_bytes(trade.price),
        trade.size,
        exchange.encode(),
    )


def tick_by_tick_quote(request_id: int, at_ms: int, quote: Quote) -> bytes:
    """99 of type 3 BidAsk."""
    return b"99\x00%d\x003\x00%d\x00%s\x00%s\x00%d\x00%d\x000\x00" % (
        request_id,
        at_ms // 1000,
        price_bytes(quote.bid),
        price_bytes(quote.ask),
        quote.bid_size,
        quote.ask_size,
    )


def tick_by_tick_mid(request_id: int, at_ms: int, quote: Quote) -> bytes:
    """99 of type 4 MidPoint."""
    return b"99\x00%d\x004\x00%d\x00%s\x00" % (request_id, at_ms // 1000, price_bytes((quote.bid + quote.ask) // 2))
