"""Quotes and bars of the subscribed tickers, their freshness, and what the broker says when it sends none."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from broker import codes
from broker.bars import BarBuilder, HalfBar, whole_volume
from broker.contracts import Contracts
from broker.history_budget import BarsBudget
from broker.link import LinkHealth
from broker.pacing import MessageQueue, Priority
from broker.requests import Requests
from core.events import BarClosed, Event, InstrumentRead, MarketDataRefused, MarketDataSeen, QuoteChanged
from core.market import Quote

SEEN_EVERY_MS: Final = 3_000
"""Quotes that change nothing renew the freshness of a ticker (5 s) this often; its 5-second bars always do."""
SILENT_AFTER_MS: Final = 15_000
RETRY_QUOTES_MS: Final = 10_000
RETRY_BARS_MS: Final = 60_000
"""Bars are asked for again more seldom: their subscriptions have a budget (420)."""
RETRY_REFUSED_MS: Final = 300_000
"""What IB refuses (354 not subscribed, 200 while definitions are down) is mended within minutes, not seconds."""
LIVE_DATA: Final = 1
SHORTABLE_TICK: Final = 46
EASY_TO_BORROW: Final = 2.5
"""Above: 1,000 shares or more can be borrowed at once; 1.5 to 2.5: after a search (404), which no entry here awaits."""
_BID, _ASK, _LAST = 1, 2, 4


@dataclass(slots=True, eq=False)
class _Line:
    """One of the two requests of a subscription, and what became of it."""

    ticker: str
    is_bars: bool
    request_id: int = 0  # 0: not asked for
    is_ended: bool = False  # by the broker: there is nothing to cancel
    is_heard: bool = False  # since it was asked for
    failed: int | None = None  # the code; until a message comes, however often it is asked for again
    refused: str = ""  # likewise, where it is a matter of this ticker and not of the link
    retry_at_ms: int | None = None


@dataclass(slots=True, eq=False)
class _Subscription:
    quotes: _Line
    bars: _Line
    builder: BarBuilder
    bid: float | None = None
    ask: float | None = None
    last: float | None = None
    is_told: bool = False  # the quote, since the link was last told to be connected
    seen_told_ms: int = 0


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
        self._bars_budget = BarsBudget()
        self._subscriptions: dict[str, _Subscription] = {}
        self._lines: dict[int, _Line] = {}
        self._changed: dict[str, _Subscription] = {}
        self._heard: dict[_Line, None] = {}  # of which a message came since the last flush
        self._problems: dict[str, str] = {}  # tickers of which is told what is refused, or "" that nothing is
        self._newest_ms: int | None = None  # of all, from the bell or first bar on: before it silence is normal

    def on_lost(self) -> None:
        """The connection is gone, and all its subscriptions with it."""
        self._client = None
        self._subscriptions.clear()
        self._lines.clear()
        self._changed.clear()
        self._heard.clear()

    def on_connected(self, client: Any) -> None:
        """A fresh connection has no subscriptions."""
        self._client = client
        if self._newest_ms is not None:
            self._newest_ms = self._now_ms()  # time to subscribe

    # --- asking ---

    def subscribe(self, tickers: Iterable[str]) -> None:
        """Subscribe these tickers, anew if they were."""
        client = self._client
        self._queue.put(Priority.DATA, 1, lambda: client.reqMarketDataType(LIVE_DATA))
        for ticker in tickers:
            one = self._subscriptions.get(ticker)
            if one is None:
                quotes, bars = _Line(ticker, is_bars=False), _Line(ticker, is_bars=True)
                one = self._subscriptions[ticker] = _Subscription(quotes, bars, BarBuilder(ticker))
            self._open(one.bars)
            self._open(one.quotes)

    def resubscribe(self) -> None:
        """Ask for everything again: the gateway has lost what it sent us (1101). In a login that is nothing yet."""
        if self._subscriptions:
            self.subscribe(tuple(self._subscriptions))

    def forget_told(self) -> None:
        """Nobody goes by the quotes of before an outage: each is told again when it is heard, changed or not."""
        for one in self._subscriptions.values():
            one.is_told = False

    def check(self) -> None:
        """Watch the freshness of data, and ask again for what failed; called at every heartbeat."""
        now_ms = self._now_ms()
        for one in self._subscriptions.values():
            for line in (one.bars, one.quotes):
                if line.retry_at_ms is not None and now_ms >= line.retry_at_ms:
                    self._open(line)
        if self._newest_ms is None and self._is_market_open(now_ms):
            self._newest_ms = now_ms
        if self._newest_ms is not None and now_ms - self._newest_ms > SILENT_AFTER_MS:
            self._link.begin("data", f"no market data for {SILENT_AFTER_MS // 1000} s")

    def _open(self, line: _Line) -> None:
        self._close(line)
        now_ms, one = self._now_ms(), self._subscriptions[line.ticker]
        if line.is_bars:
            one.builder.forget_half()
            allowed_ms = self._bars_budget.reserve(now_ms)
            if allowed_ms > now_ms:
                line.retry_at_ms = allowed_ms
                return
        else:
            one.bid = one.ask = one.last = None  # of the request before, and may have changed unheard
        client, contract = self._client, self._contracts.listing(line.ticker).contract
        request_id = line.request_id = self._requests.next_id()
        line.is_heard = False
        self._lines[request_id] = line
        if self._newest_ms is not None:
            self._newest_ms = now_ms  # time to come
        if line.is_bars:
            write = lambda: client.reqRealTimeBars(request_id, contract, 5, "TRADES", True, [])  # noqa: E731 - one of two
        else:
            write = lambda: client.reqMktData(request_id, contract, "236", False, False, [])  # noqa: E731 - the other
        self._queue.put(Priority.DATA, 1, write)

    def _close(self, line: _Line) -> None:
        client, request_id, was_alive = self._client, line.request_id, not line.is_ended
        line.request_id, line.retry_at_ms, line.is_ended = 0, None, False
        if self._lines.pop(request_id, None) is not None and was_alive:
            cancel = client.cancelRealTimeBars if line.is_bars else client.cancelMktData
            self._queue.put(Priority.DATA, 1, lambda: cancel(request_id))

    # --- called by the decoder ---

    def on_price(self, request_id: int, tick_type: int, price: float) -> None:
        """Bid, ask or last; other prices, delayed ones too, only show that the stream lives."""
        line = self._lines.get(request_id)
        if line is None:
            return
        self._heard[line] = None
        one = self._subscriptions[line.ticker]
        value = price if price > 0 else None  # -1 and 0: there is none now
        if tick_type == _BID:
            changed, one.bid = one.bid != value, value
        elif tick_type == _ASK:
            changed, one.ask = one.ask != value, value
        elif tick_type == _LAST:
            changed, one.last = one.last != value, value
        else:
            return
        if changed or not one.is_told:
            one.is_told = True
            self._changed[line.ticker] = one

    def on_other(self, request_id: int) -> None:
        """A size, a time: shows that the stream lives."""
        line = self._lines.get(request_id)
        if line is not None:
            self._heard[line] = None

    def on_generic(self, request_id: int, tick_type: int, value: float) -> None:
        """How easily shares can be borrowed."""
        line = self._lines.get(request_id)
        if line is None or tick_type != SHORTABLE_TICK:
            return
        instrument = self._contracts.set_shortable(line.ticker, shortable=value > EASY_TO_BORROW)
        if instrument is not None:
            self._emit(InstrumentRead(self._now_ms(), instrument))

    def on_bar(self, request_id: int, start_s: int, open_: float, high: float, low: float, close: float, volume: float,
               _wap: float, _count: int) -> None:  # fmt: skip
        """A 5-second bar."""
        line = self._lines.get(request_id)
        if line is None:
            return
        self._heard[line] = None
        self._newest_ms = self._newest_ms or self._now_ms()
        one = self._subscriptions[line.ticker]
        for bar in one.builder.add(HalfBar(start_s * 1000, open_, high, low, close, whole_volume(volume))):
            one.seen_told_ms = self._now_ms()
            self._emit(BarClosed(one.seen_told_ms, bar))

    def on_data_type(self, request_id: int, kind: int) -> None:
        """Live (1), or frozen, delayed, delayed and frozen: by none of which can be traded."""
        line = self._lines.get(request_id)
        if line is None:
            self._requests.add(request_id, ("type", kind))  # preflight asks for single quotes
        elif kind == LIVE_DATA:
            self._link.end(f"delayed {line.ticker}", f"{line.ticker}: live market data")
        else:
            self._link.begin(f"delayed {line.ticker}", f"{line.ticker}: market data is not live (type {kind})")

    def on_error(self, request_id: int, code: int, text: str) -> bool:
        """An error on a subscription; False when the id is not one. Whatever is no mere notice means: no data comes.

        Of codes that tell of a lost stream the link is in trouble; any other is about the ticker alone (ADR 22).
        """
        line = self._lines.get(request_id)
        if line is None:
            return False
        if codes.is_notice(code) or code in codes.REQUEST_GONE:
            return True
        self._heard.pop(line, None)  # what came before the error, in the same chunk, does not show that it is over
        before, line.is_ended, line.is_heard = line.failed, True, False
        if codes.is_stream_lost(code, text):
            line.failed, line.refused = code, ""
            line.retry_at_ms = self._now_ms() + (RETRY_BARS_MS if line.is_bars else RETRY_QUOTES_MS)
            self._link.begin(f"data {code}", f"{code}: {text}")
        else:
            line.failed, line.refused = None, f"{code}: {text}"
            line.retry_at_ms = self._now_ms() + RETRY_REFUSED_MS
        self._end_unless_failed(before)
        self._tell_problem(line.ticker)
        return True

    def flush(self) -> None:
        """Tell what the ticks of a chunk of socket data come to: the newest quotes, and which tickers are alive."""
        if not self._heard:
            return
        now_ms = self._now_ms()
        if self._newest_ms is not None:
            self._newest_ms = now_ms
            self._link.end("data", "market data flows again")
        for ticker, one in self._changed.items():
            self._emit(QuoteChanged(now_ms, Quote(ticker, one.bid, one.ask, one.last)))
        for line in self._heard:
            self._recovered(line)
            one = self._subscriptions[line.ticker]
            if now_ms - one.seen_told_ms >= (1 if line.is_bars else SEEN_EVERY_MS):
                one.seen_told_ms = now_ms
                self._emit(MarketDataSeen(now_ms, line.ticker))
        self._changed.clear()
        self._heard.clear()

    # --- inside ---

    def _is_market_open(self, at_ms: int) -> bool:
        listings = (self._contracts.listing(ticker) for ticker in self._subscriptions)
        return any(listing.regular_close_ms(at_ms) is not None for listing in listings)

    def _recovered(self, line: _Line) -> None:
        if line.is_heard:
            return
        before, line.failed, line.refused, line.is_ended, line.is_heard = line.failed, None, "", False, True
        self._end_unless_failed(before)
        self._tell_problem(line.ticker)

    def _tell_problem(self, ticker: str) -> None:
        """Tell what is refused, or once both lines were heard that nothing is: a process before may have told of it."""
        one = self._subscriptions[ticker]
        problem = one.bars.refused or one.quotes.refused
        is_known = problem or (one.bars.is_heard and one.quotes.is_heard)
        if is_known and self._problems.get(ticker) != problem:
            self._problems[ticker] = problem
            self._emit(MarketDataRefused(self._now_ms(), ticker, problem))

    def _end_unless_failed(self, code: int | None) -> None:
        if code is None:
            return
        if all(code not in (one.bars.failed, one.quotes.failed) for one in self._subscriptions.values()):
            self._link.end(f"data {code}", f"{code} is over")
