"""ib_async's decoder, made loud and quick: no exception is swallowed, moments get their zone, ticks go straight."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

from ib_async.contract import Contract
from ib_async.decoder import Decoder
from ib_async.objects import BarData, CommissionReport, Execution
from ib_async.util import UNSET_DOUBLE

from broker.boundary import Boundary
from broker.errors import MessageUnreadable
from broker.times import moment

Fields = list[str]

_CASTS: Final[dict[type, Callable[[str], Any]]] = {
    str: lambda text: text,
    int: lambda text: int(text or 0),
    float: lambda text: float(text or 0),
    bool: lambda text: bool(int(text or 0)),
}


class LoudDecoder(Decoder):
    """Hands every failure of decoding or translating to `on_failure` and goes on with the next message.

    Messages for which the wrapper has no method are passed over: nothing of ours asked for them.
    """

    def __init__(self, wrapper: Any, gateway_zone: str, on_failure: Callable[[BaseException], None]) -> None:
        super().__init__(wrapper, 0)
        self._gateway_zone = gateway_zone
        self._fields: Fields = []
        self._boundary = Boundary(lambda failure: on_failure(MessageUnreadable(self._fields, failure)))
        self._to: Any = wrapper
        self.handlers = {number: handler for number, handler in self.handlers.items() if number in _HANDLED}
        self.handlers |= {1: self._tick_price, 2: self._tick_other, 46: self._tick_other, 45: self._tick_generic}
        self.handlers |= {11: self._execution, 17: self._history, 59: self._commission}

    def interpret(self, fields: Fields) -> None:
        """Decode one message and call the wrapper."""
        self._fields = fields
        with self._boundary:
            handler = self.handlers.get(int(fields[0]))
            if handler is not None:
                handler(fields)

    def wrap(self, methodName: str, types: list[type], skip: int = 2) -> Callable[[Fields], None]:
        """Like the library's, without its except that logs and forgets."""
        casts = [_CASTS[kind] for kind in types]

        def handler(fields: Fields) -> None:
            getattr(self._to, methodName)(*[cast(text) for cast, text in zip(casts, fields[skip:], strict=False)])

        return handler

    def _tick_price(self, fields: Fields) -> None:
        self._to.tickPrice(int(fields[2]), int(fields[3]), float(fields[4] or 0))

    def _tick_generic(self, fields: Fields) -> None:
        self._to.tickGeneric(int(fields[2]), int(fields[3]), float(fields[4] or 0))

    def _tick_other(self, fields: Fields) -> None:
        self._to.tickOther(int(fields[2]))

    def _execution(self, fields: Fields) -> None:
        """A fill (WIRE 5): what follows is its protection, and the library takes four times as long to read it."""
        _, request_id, order_id, con_id, symbol, kind, *_, currency, local_symbol, _, exec_id, time = fields[:16]
        account, exchange, side, shares, price, perm_id, client_id, _, _, _, order_ref = fields[16:27]
        report = Execution(
            execId=exec_id,
            time=moment(time, self._gateway_zone),
            acctNumber=account,
            exchange=exchange,
            side=side,
            shares=float(shares or 0),
            price=float(price or 0),
            permId=int(perm_id or 0),
            clientId=int(client_id or 0),
            orderId=int(order_id or 0),
            orderRef=order_ref,
        )
        contract = Contract(
            conId=int(con_id or 0), symbol=symbol, secType=kind, currency=currency, localSymbol=local_symbol
        )
        self._to.execDetails(int(request_id or 0), contract, report)

    def _history(self, fields: Fields) -> None:
        """Bars of eight fields each. What is no number there is NaN, which only their question has to live with."""
        request_id, start, end, count = int(fields[1]), fields[2], fields[3], int(fields[4])
        for at in range(5, 5 + 8 * count, 8):
            date: Any = fields[at]  # text, as the library passes it too
            open_, high, low, close, volume = map(_figure, fields[at + 1 : at + 6])
            bar = BarData(date=date, open=open_, high=high, low=low, close=close, volume=volume)
            self._to.historicalData(request_id, bar)
        self._to.historicalDataEnd(request_id, start, end)

    def _commission(self, fields: Fields) -> None:
        """An empty figure is unset, which the library reads as zero (CASES 25)."""
        exec_id, amount, currency, realized = fields[2:6]
        self._to.commissionReport(
            CommissionReport(exec_id, float(amount or UNSET_DOUBLE), currency, float(realized or UNSET_DOUBLE))
        )


def _figure(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


_HANDLED: Final = frozenset(
    # orderStatus, error, openOrder, nextValidId, contractDetails, execDetails, historicalData, currentTime,
    # realtimeBar, contractDetailsEnd, openOrderEnd, execDetailsEnd, tickSnapshotEnd, marketDataType, commissionReport,
    # position, positionEnd, accountSummary, accountSummaryEnd, marketRule
    {3, 4, 5, 9, 10, 11, 17, 49, 50, 52, 53, 55, 57, 58, 59, 61, 62, 63, 64, 93}
)
