"""Quotes and bars of the subscribed tickers, their freshness, and what the broker says when it sends none."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from broker import codes
from broker.bars import BarBuilder, HalfBar
from broker.contracts import Contracts
from broker.link import LinkHealth
from broker.pacing import MessageQueue, Priority
from broker.requests import Requests
from core.events import BarClosed, Event, InstrumentRead, MarketDataSeen, QuoteChanged
from core.market import Quote

SEEN_EVERY_MS: Final = 3_000
"""Quotes that change nothing renew the freshness of a ticker (5 s) this often; its 5-second bars always do."""
SILENT_AFTER_MS: Final = 15_000
RETRY_AFTER_MS: Final = 10_000
LIVE_DATA: Final = 1
SHORTABLE_TICK: Final = 46
EASY_TO_BORROW: Final = 2.5
"""Above: 1,000 shares or more can be borrowed at once; 1.5 to 2.5: after a search (404), which no entry here awaits."""
_BID, _ASK, _LAST = 1, 2, 4


@dataclass(slots=True)
class _Subscription:
    ticker: str
    builder: BarBuilder
    quotes_id: int = 0
    bars_id: int = 0
    bid: float | None = None
    ask: float | None = None
    last: float | None = None
    seen_told_ms: int = 0
    failed: dict[int, int] = field(default_factory=dict)  # request id -> code
    retry_at_ms: int | None = None


class MarketData:
    """One subscription a ticker: quotes (reqMktData) and 5-second bars in regular hours (reqRealTimeBars)."""

    def __init__(self, contracts: Contracts, requests: Requests, queue: MessageQueue, link: LinkHealth,
                 emit: Callable[[Event], None], now_ms: Callable[[], int]) -> None:  # fmt: skip
        self._contracts = contracts
        self._requests = requests
        self._queue = queue
        self._link = link
        self._emit = emit
        self._now_ms = now_ms
        self._client: Any = None
        self._by_ticker: dict[str, _Subscription] = {}
        self._by_id: dict[int, _Subscription] = {}
        self._changed: dict[str, _Subscription] = {}
        self._heard: dict[int, _Subscription] = {}  # request ids of which a message came since the last flush
        self._newest_ms: int | None = None  # of all, from the first bar on: before the bell silence is normal

    def on_connected(self, client: Any) -> None:
        """A fresh connection has no subscriptions."""
        self._client = client
        self._by_id.clear()

    # --- asking ---

    def subscribe(self, tickers: Iterable[str]) -> None:
        """Subscribe these tickers, anew if they were."""
        self._queue.put(Priority.DATA, 1, lambda: self._client.reqMarketDataType(LIVE_DATA))
        for ticker in tickers:
            self._subscribe_one(ticker)

    def resubscribe(self) -> None:
        """Ask for everything again: the gateway has lost what it sent us (1101)."""
        self.subscribe(tuple(self._by_ticker))

    def check(self) -> None:
        """Watch the freshness of data, and ask again for what failed by no fault of ours; called at every heartbeat."""
        now_ms = self._now_ms()
        for one in self._by_ticker.values():
            if one.retry_at_ms is not None and now_ms >= one.retry_at_ms:
                self._subscribe_one(one.ticker)
        if self._newest_ms is not None and now_ms - self._newest_ms > SILENT_AFTER_MS:
            self._link.begin("data", f"no market data for {SILENT_AFTER_MS // 1000} s")

    def _subscribe_one(self, ticker: str) -> None:
        one = self._by_ticker.get(ticker)
        if one is None:
            one = self._by_ticker[ticker] = _Subscription(ticker, BarBuilder(ticker))
        self._cancel(one)
        client, contract = self._client, self._contracts.listing(ticker).contract
        quotes_id, bars_id = self._requests.next_id(), self._requests.next_id()
        one.quotes_id, one.bars_id = quotes_id, bars_id
        one.bid = one.ask = one.last = None
        one.retry_at_ms = None
        one.builder.forget_half()
        self._by_id[quotes_id] = self._by_id[bars_id] = one
        if self._newest_ms is not None:
            self._newest_ms = self._now_ms()  # time to come
        self._queue.put(Priority.DATA, 1, lambda: client.reqRealTimeBars(bars_id, contract, 5, "TRADES", True, []))
        self._queue.put(Priority.DATA, 1, lambda: client.reqMktData(quotes_id, contract, "236", False, False, []))

    def _cancel(self, one: _Subscription) -> None:
        client, quotes_id, bars_id = self._client, one.quotes_id, one.bars_id
        if self._by_id.pop(bars_id, None) is not None and bars_id not in one.failed:
            self._queue.put(Priority.DATA, 1, lambda: client.cancelRealTimeBars(bars_id))
        if self._by_id.pop(quotes_id, None) is not None and quotes_id not in one.failed:
            self._queue.put(Priority.DATA, 1, lambda: client.cancelMktData(quotes_id))
        for request_id in list(one.failed):
            self._recovered(one, request_id)

    # --- called by the decoder ---

    def on_price(self, request_id: int, tick_type: int, price: float) -> None:
        """Bid, ask or last; other prices, delayed ones too, only show that the stream lives."""
        one = self._by_id.get(request_id)
        if one is None:
            return
        value = price if price > 0 else None  # -1 and 0: there is none now
        if tick_type == _BID:
            changed, one.bid = one.bid != value, value
        elif tick_type == _ASK:
            changed, one.ask = one.ask != value, value
        elif tick_type == _LAST:
            changed, one.last = one.last != value, value
        else:
            changed = False
        if changed:
            self._changed[one.ticker] = one
        self._heard[request_id] = one

    def on_other(self, request_id: int) -> None:
        """A size, a time: shows that the stream lives."""
        one = self._by_id.get(request_id)
        if one is not None:
            self._heard[request_id] = one

    def on_generic(self, request_id: int, tick_type: int, value: float) -> None:
        """How easily shares can be borrowed."""
        one = self._by_id.get(request_id)
        if one is None or tick_type != SHORTABLE_TICK:
            return
        instrument = self._contracts.set_shortable(one.ticker, shortable=value > EASY_TO_BORROW)
        if instrument is not None:
            self._emit(InstrumentRead(self._now_ms(), instrument))

    def on_bar(self, request_id: int, start_s: int, open_: float, high: float, low: float, close: float, volume: float,
               _wap: float, _count: int) -> None:  # fmt: skip
        """A 5-second bar."""
        one = self._by_id.get(request_id)
        if one is None:
            return
        self._newest_ms = self._newest_ms or self._now_ms()
        self._heard[request_id] = one
        for bar in one.builder.add(HalfBar(start_s * 1000, open_, high, low, close, int(volume))):
            one.seen_told_ms = self._now_ms()
            self._emit(BarClosed(one.seen_told_ms, bar))

    def on_data_type(self, request_id: int, kind: int) -> None:
        """Live (1), or frozen, delayed, delayed and frozen: by none of which can be traded."""
        one = self._by_id.get(request_id)
        if one is None:
            return
        if kind == LIVE_DATA:
            self._link.end(f"delayed {one.ticker}", f"{one.ticker}: live market data")
        else:
            self._link.begin(f"delayed {one.ticker}", f"{one.ticker}: market data is not live (type {kind})")

    def on_error(self, request_id: int, code: int, text: str) -> bool:
        """An error on a subscription; False when the id is not one. Whatever is no mere notice means: no data comes."""
        one = self._by_id.get(request_id)
        if one is None:
            return False
        if codes.is_notice(code) or code in codes.REQUEST_GONE:
            return True
        one.failed[request_id] = code
        if code in codes.RESUBSCRIBE:
            one.retry_at_ms = self._now_ms() + RETRY_AFTER_MS
        self._link.begin(f"data {code}", f"{code}: {text}")
        return True

    def flush(self) -> None:
        """Tell what the ticks of a chunk of socket data come to: the newest quotes, and which tickers are alive."""
        if not self._heard:
            return
        now_ms = self._now_ms()
        if self._newest_ms is not None:
            self._newest_ms = now_ms
            self._link.end("data", "market data flows again")
        for one in self._changed.values():
            self._emit(QuoteChanged(now_ms, Quote(one.ticker, one.bid, one.ask, one.last)))
        for request_id, one in self._heard.items():
            if request_id in one.failed:
                self._recovered(one, request_id)
            if now_ms - one.seen_told_ms >= (SEEN_EVERY_MS if request_id == one.quotes_id else 1):
                one.seen_told_ms = now_ms
                self._emit(MarketDataSeen(now_ms, one.ticker))
        self._changed.clear()
        self._heard.clear()

    # --- inside ---

    def _recovered(self, one: _Subscription, request_id: int) -> None:
        code = one.failed.pop(request_id)
        if all(code not in other.failed.values() for other in self._by_ticker.values()):
            self._link.end(f"data {code}", f"{code} is over")
