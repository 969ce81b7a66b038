"""The inbox keeps the order of events, conflates quotes, and refuses to lose anything."""

import pytest

from core.events import MarketDataSeen, QuoteChanged, Woke
from core.market import Quote
from runtime import inbox as inbox_module
from runtime.inbox import Inbox, InboxFullError


def quote(ticker: str, bid: float) -> QuoteChanged:
    return QuoteChanged(0, Quote(ticker, bid, bid + 0.01, bid))


def test_only_the_newest_quote_of_a_ticker_comes_before_the_other_events() -> None:
    inbox = Inbox()
    inbox.put(quote("SOXL", 75.0))
    inbox.put(MarketDataSeen(0, "SOXL"))
    inbox.put(quote("SOXL", 75.1))
    inbox.put(quote("GLD", 200.0))
    assert inbox.drain(7) == [
        QuoteChanged(7, quote("SOXL", 75.1).quote),
        QuoteChanged(7, quote("GLD", 200.0).quote),
        MarketDataSeen(7, "SOXL"),
    ]
    assert inbox.drain(8) == []


def test_a_quote_alone_wakes_nobody_but_is_not_lost() -> None:
    inbox = Inbox()
    inbox.put(quote("SOXL", 75.0))
    assert inbox.drain(1) == []
    inbox.put(Woke(0, "closure"))
    assert inbox.drain(2) == [QuoteChanged(2, quote("SOXL", 75.0).quote), Woke(2, "closure")]


def test_events_are_stamped_with_the_time_of_taking() -> None:
    inbox = Inbox()
    inbox.put(Woke(1, "a"))
    inbox.put(Woke(2, "b"))
    assert [event.at_ms for event in inbox.drain(50)] == [50, 50]


def test_a_full_inbox_says_so_and_drops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox_module, "CAPACITY", 2)
    inbox = Inbox()
    inbox.put(Woke(0, "a"))
    inbox.put(Woke(0, "b"))
    with pytest.raises(InboxFullError, match="2 events wait"):
        inbox.put(Woke(0, "c"))
    assert len(inbox.drain(0)) == 2


def test_everything_but_a_quote_wakes_the_drive() -> None:
    inbox, woken = Inbox(), []
    inbox.wake = lambda: woken.append(len(inbox.drain(1)))
    inbox.put(quote("SOXL", 75.0))
    assert woken == []
    inbox.put(Woke(0, "timer"))
    assert woken == [2]  # the event and the quote before it
