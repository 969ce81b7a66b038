"""ib_async's decoder, made loud and quick: no exception is swallowed, moments get their zone, ticks go straight."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from ib_async.decoder import Decoder

from broker.boundary import Boundary
from broker.errors import MessageUnreadable
from broker.times import with_zone

Fields = list[str]

_EXECUTION_TIME: Final = 15  # the index of the time in execDetails (WIRE 4)
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
        self.handlers[11] = self._execution

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
        fields[_EXECUTION_TIME] = with_zone(fields[_EXECUTION_TIME], self._gateway_zone)
        self.execDetails(fields)  # type: ignore[no-untyped-call]  # ib_async's methods carry no types


_HANDLED: Final = frozenset(
    # orderStatus, error, openOrder, nextValidId, contractDetails, execDetails, historicalData, currentTime,
    # realtimeBar, contractDetailsEnd, openOrderEnd, execDetailsEnd, tickSnapshotEnd, marketDataType, commissionReport,
    # position, positionEnd, accountSummary, accountSummaryEnd, marketRule
    {3, 4, 5, 9, 10, 11, 17, 49, 50, 52, 53, 55, 57, 58, 59, 61, 62, 63, 64, 93}
)
