"""Valid requests of every kind, and seeded ways to spoil them."""

from __future__ import annotations

import random
import struct

import ib_async

from simulator.wire.framing import frame, message
from tests.simulator.wire.clients import ACCOUNT, contract_fields


def placed_frame(order: ib_async.Order, order_id: int, symbol: str = "SOXL") -> bytes:
    """placeOrder of a stock, as ib_async writes it at 178."""
    client = ib_async.Client(object())
    client._serverVersion, client.connState = 178, client.CONNECTED
    sent: list[bytes] = []
    client.conn.sendMsg = sent.append
    client.placeOrder(order_id, ib_async.Stock(symbol, "SMART", "USD"), order)
    return sent[0]


def valid_frames() -> list[bytes]:
    """One frame of every request that the gateway serves, in a sensible order."""
    soxl = contract_fields("SOXL")
    bracket = [
        ib_async.LimitOrder("BUY", 10, 20.0, transmit=False),
        ib_async.StopOrder("SELL", 10, 15.0, parentId=1, transmit=True),
        ib_async.MarketOrder("BUY", 5, whatIf=True),
        ib_async.Order(action="SELL", totalQuantity=5, orderType="TRAIL", auxPrice=0.5, tif="GTC"),
    ]
    requests: list[list[object]] = [
        [61, 1], [5, 1], [99, 0], [6, 2, 1, ACCOUNT], [76, 1, 1, ACCOUNT, "", 0], [7, 3, 2, 0, "", "", "", "", "", ""],
        [1, 11, 3, *soxl, 0, "236", 0, 0, ""], [50, 3, 4, *soxl, 5, "TRADES", 1, ""],
        [97, 5, *soxl, "AllLast", 0, 0], [98, 5], [59, 1, 3],
        [20, 6, *soxl, 0, "", "10 secs", "60 S", 1, "TRADES", 1, 1, ""], [25, 1, 6],
        [20, 7, *soxl, 0, "20250311 15:00:00 US/Eastern", "1 day", "2 D", 1, "MIDPOINT", 2, 0, ""],
        [87, 8, *soxl, 0, 1, "TRADES", 1], [9, 8, 9, *soxl, 0, "", "", ""], [91, 26], [81, 10, "SO"],
        [62, 1, 11, "All", "NetLiquidation,$LEDGER:ALL"], [63, 1, 11], [92, 12, ACCOUNT, ""], [93, 12],
        [94, 13, ACCOUNT, "", 72539725], [95, 13], [74, 1, 14, ACCOUNT, ""], [75, 1, 14], [77, 1, 1], [104, 15],
        [8, 1, 1], [14, 1, 5], [15, 1, 1], [16, 1], [17, 1], [49, 1], [4, 1, 1, ""], [58, 1], [64, 1], [2, 2, 3],
        [51, 1, 4], [79, 1], [80], [82], [85], [24, 1], [78, 16, "SOXL", "", "STK", 1], [83, 17, "9c0001"],
        [10, 5, 18, *soxl, 5, 0, ""], [22, 19, *[""] * 21], [96, 20, *soxl, 0, "", "", 9, "TRADES", 1, 0, ""],
        [12, 1, 1], [52, 2, 21, 0, "SOXL"], [86, 22, 1, "BRFG", "", "", 5, ""], [67, 1, 23], [100, 24], [13, 1],
    ]  # fmt: skip
    orders = [placed_frame(order, order_id) for order_id, order in enumerate(bracket, 1)]
    return orders + [message([str(field) for field in fields]) for fields in requests]


STREAM_BREAKERS = (2, 5)
"""Kinds of damage after which nobody can tell where the next frame starts."""


def spoiled(frames: list[bytes], chance: random.Random) -> tuple[bytes, bool]:
    """One frame with one thing wrong, or right by chance; and whether the stream can go on after it."""
    kind = chance.randrange(9)
    return _damaged(chance.choice(frames), kind, chance), kind not in STREAM_BREAKERS


def _damaged(whole: bytes, kind: int, chance: random.Random) -> bytes:
    payload = bytearray(whole[4:])
    if kind == 0:
        for _ in range(chance.randint(1, 8)):
            payload[chance.randrange(len(payload))] = chance.randrange(256)
    elif kind == 1:
        return frame(bytes(payload[: chance.randrange(len(payload))]))
    elif kind == 2:
        return struct.pack(">I", chance.choice([0, 1, len(payload) + 3, 2**20 + 1, 2**24, 2**31, 2**32 - 1])) + payload
    elif kind == 3:
        fields = bytes(payload).split(b"\0")
        fields[chance.randrange(len(fields))] = chance.choice(
            [b"", b"-1", b"2147483648", b"1e308", b"NaN", b"\xff\xfe", b"9" * 400, b"0x10", b"Infinite", b"1.5"]
        )
        return frame(b"\0".join(fields))
    elif kind == 4:
        return frame(bytes(payload) * chance.randint(2, 5))
    elif kind == 5:
        return chance.randbytes(chance.randint(1, 200))
    elif kind == 6:
        fields = bytes(payload).split(b"\0")
        chance.shuffle(fields)
        return frame(b"\0".join(fields))
    elif kind == 7:
        return frame(b"")
    return frame(bytes(payload))
