"""Where a moment lies between opening and closing bells."""

from __future__ import annotations

from simulator.clock import eastern
from simulator.market.calendar import Session, next_session, session


class TradingHours:
    """The present session, or the coming one once the present one's extended hours are over. `move` keeps it so."""

    def __init__(self, now_ms: int) -> None:
        self._enter(now_ms)

    def move(self, now_ms: int) -> None:
        """Follow the clock."""
        if now_ms >= self.extended_close_ms:
            self._enter(now_ms)

    def _enter(self, now_ms: int) -> None:
        day = eastern(now_ms).date()
        found = session(day)
        if found is None or now_ms >= found.at_ms(found.extended_close):
            found = next_session(day)
        self.session: Session = found
        self.extended_open_ms = found.at_ms(found.extended_open)
        self.regular_open_ms = found.at_ms(found.regular_open)
        self.regular_close_ms = found.at_ms(found.regular_close)
        self.extended_close_ms = found.at_ms(found.extended_close)

    def is_open(self, now_ms: int, outside_rth: bool) -> bool:
        """Whether an order is at the exchange now: in regular hours, or in extended ones when it may be."""
        if outside_rth:
            return self.extended_open_ms <= now_ms < self.extended_close_ms
        return self.regular_open_ms <= now_ms < self.regular_close_ms

    def matches(self, now_ms: int, outside_rth: bool) -> bool:
        """Whether the second that has just ended lay in the order's hours."""
        return self.is_open(now_ms - 1000, outside_rth)

    def day_order_expiry_ms(self, now_ms: int, outside_rth: bool) -> int:
        """When a DAY order placed now dies: at the close of the hours it works in, today's or the next session's."""
        close_ms = self.extended_close_ms if outside_rth else self.regular_close_ms
        if now_ms < close_ms:
            return close_ms
        following = next_session(self.session.day)
        return following.at_ms(following.extended_close if outside_rth else following.regular_close)

    def next_open_ms(self, now_ms: int, outside_rth: bool) -> int:
        """The opening bell that an order placed now, outside its hours, waits for."""
        open_ms = self.extended_open_ms if outside_rth else self.regular_open_ms
        if now_ms < open_ms:
            return open_ms
        following = next_session(self.session.day)
        return following.at_ms(following.extended_open if outside_rth else following.regular_open)
