"""Bars, quotes, history, instruments: what the market says."""

from __future__ import annotations

from core.commands import ReadHistory
from core.desk import Desk
from core.events import (
    BarClosed,
    HistoryLoaded,
    InstrumentMissing,
    InstrumentRead,
    MarketDataRefused,
    MarketDataSeen,
    QuoteChanged,
)
from core.losses import value, value_unknown, watch_loss
from core.market import Bar
from core.pricing import LEAST_PRICE, MOST_PRICE, is_price
from core.state import Book
from core.vocabulary import Link, Severity

HELD_MS = 60_000
"""How long live bars are kept back for the history before them; then they are taken without it."""

GAP_MS = 60_000
"""A longer pause in a stream that is sound otherwise is a halt of the ticker: no bar was lost, none is asked for."""

GAP_PAUSE_MS = 300_000
"""A feed that loses bars all the time must leave the history that a restart needs: IB serves 60 requests in 10 min."""


def on_instrument_read(desk: Desk, event: InstrumentRead) -> None:
    """Keep the contract and its market rule."""
    ticker = event.instrument.ticker
    desk.book(ticker).instrument = event.instrument
    desk.clear(f"contract/{ticker}", f"The broker has told what {ticker} is.")


def on_instrument_missing(desk: Desk, event: InstrumentMissing) -> None:
    """No entries, whatever an earlier process knew; what is held is protected and closed by the broker's own word."""
    desk.book(event.ticker).instrument = None
    desk.alert(
        Severity.WARNING,
        f"contract/{event.ticker}",
        f"{event.ticker}: the broker gives no contract",
        f"{event.problem}. No entries; what is held of it is closed as ever.",
    )


def on_market_data_refused(desk: Desk, event: MarketDataRefused) -> None:
    """No entries in this ticker alone; once it is served again, what was missed comes before its live bars."""
    book = desk.book(event.ticker)
    if event.problem == book.data_problem:  # a new process finds it as it was
        return
    book.data_problem = event.problem
    key = f"data/{event.ticker}"
    if not event.problem:
        desk.clear(key, f"The broker serves market data of {event.ticker} again.")
        return
    book.awaits_history, book.held_since_ms = True, desk.state.now_ms
    text = f"{event.problem}. No entries in it; its exits are at the broker. It is asked for again every five minutes."
    desk.alert(Severity.WARNING, key, f"{event.ticker}: no market data", text)


def on_market_data_seen(desk: Desk, event: MarketDataSeen) -> None:
    """The subscription is alive."""
    desk.book(event.ticker).data_seen_ms = event.at_ms


def on_quote_changed(desk: Desk, event: QuoteChanged) -> None:
    """Keep the quote; a trade is the newest mark."""
    quote = event.quote
    book = desk.book(quote.ticker)
    book.quote = quote
    book.data_seen_ms = event.at_ms
    if is_price(quote.last):
        value(desk, book, quote.last)


def on_bar_closed(desk: Desk, event: BarClosed) -> None:
    """Feed the ticker's indicators; watch the day's loss."""
    bar = event.bar
    book = desk.state.books.get(bar.ticker) or desk.book(bar.ticker)
    book.data_seen_ms = event.at_ms
    if not _is_usable(bar):
        _distrust(desk, book, bar)
        if book.position:
            value_unknown(desk, book)  # which halts (CASES 31)
    elif _must_wait(desk, book, bar):
        _hold(desk, book, bar)
    else:
        _take(desk, book, bar)
    watch_loss(desk)


def on_history_loaded(desk: Desk, event: HistoryLoaded) -> None:
    """Take in warm-up bars, or those of a gap, and then the live ones that waited for them; each bar once.

    Live bars that wait for the history of a later gap go on waiting; what belongs before them is taken.
    """
    book = desk.book(event.ticker)
    held = {bar.start_ms: bar for bar in book.held_bars}
    first = book.held_bars[0] if held else None
    covers = first is None or event.until_ms is None or event.until_ms >= _needs_until_ms(first)
    for stored in event.bars:
        if first is not None and not covers and stored.start_ms >= first.start_ms:
            break
        live = held.get(stored.start_ms)
        bar = live if live is not None and _is_truer(live, stored) else stored
        if _is_usable(bar):
            _take(desk, book, bar)
        else:
            _distrust(desk, book, bar)
    book.history_until_ms = max(book.history_until_ms, event.until_ms or 0)
    if event.until_ms is None or (covers and held):
        _release(desk, book)


def _is_truer(live: Bar, stored: Bar) -> bool:
    """Whether a live bar is to be believed: it is whole, or history, which lags a little, has no trade of it yet."""
    return live.complete or (stored.flat and not live.flat)


def _needs_until_ms(bar: Bar) -> int:
    """Up to when history must have been asked for, for a live bar to follow on it: half a bar needs the whole one."""
    return bar.start_ms if bar.complete else bar.end_ms


def _must_wait(desk: Desk, book: Book, bar: Bar) -> bool:
    """Whether history has to come first: what lies before a live bar, or the whole of it; if so it is asked for.

    While the link is not sound it is asked for when it is sound again; the next bar may well leave a gap then.
    """
    if book.held_bars:
        return True
    known_ms = max(book.atr.newest_end_ms or 0, book.history_until_ms)
    is_connected = desk.state.link is Link.CONNECTED
    if bar.start_ms <= known_ms and bar.complete:
        book.awaits_history = book.awaits_history and not is_connected
        return False
    if not (book.awaits_history and bar.start_ms > known_ms):
        if not _is_gap(desk, book, bar, known_ms):
            return False
        book.gap_asked_ms = desk.state.now_ms
    if is_connected:
        desk.out.append(ReadHistory(book.ticker))
    return True


def _is_gap(desk: Desk, book: Book, bar: Bar, known_ms: int) -> bool:
    """Whether a bar before this one, or a half of it, was lost within a sound link, and may be asked for."""
    missing_ms = bar.start_ms - max(known_ms, desk.plan.open_ms)
    is_lost = 0 < missing_ms <= GAP_MS or (missing_ms == 0 and not bar.complete)
    return is_lost and desk.state.now_ms >= book.gap_asked_ms + GAP_PAUSE_MS


def _hold(desk: Desk, book: Book, bar: Bar) -> None:
    """Keep a live bar back; not for ever."""
    now_ms = desk.state.now_ms
    if not book.held_bars:
        book.held_since_ms = now_ms
    value(desk, book, bar.close)
    book.held_bars.append(bar)
    if now_ms >= book.held_since_ms + HELD_MS:
        _release(desk, book)


def _release(desk: Desk, book: Book) -> None:
    held, book.held_bars = book.held_bars, []
    book.awaits_history = desk.state.link is not Link.CONNECTED  # degraded again meanwhile: more may be missing
    for bar in held:
        _take(desk, book, bar)


def _take(desk: Desk, book: Book, bar: Bar) -> None:
    book.atr.update(bar)
    if bar.end_ms >= book.bar_end_ms:
        book.bar_end_ms = bar.end_ms
        book.last_close = bar.close
        value(desk, book, bar.close)
    if book.minutes is not None and book.returns is not None:
        for minute in book.minutes.update(bar):
            book.returns.update(minute)


def _is_usable(bar: Bar) -> bool:
    """Prices that can be prices; false for NaN anywhere among them."""
    return LEAST_PRICE <= bar.low <= bar.close <= bar.high <= MOST_PRICE


def _distrust(desk: Desk, book: Book, bar: Bar) -> None:
    """A bar that is no bar. One of history says nothing about what shares are worth now: their mark stays."""
    desk.alert(
        Severity.WARNING,
        f"bar/{book.ticker}",
        f"{book.ticker}: unusable bar",
        f"The bar of {bar.start_ms} has low {bar.low}, high {bar.high}, close {bar.close}; it is not used.",
    )
