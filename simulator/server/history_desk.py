"""History requests: bars, schedules, head timestamps, and bars that are kept up to date."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from simulator.model import Bar, Instrument
from simulator.server.desk import Desk, Office, Route
from simulator.server.hours import RegularHours
from simulator.server.limits import SMALL_BAR_SECONDS_MAX, HistoryPacing
from simulator.server.lookup import find_instrument
from simulator.server.session import Session
from simulator.server.silence import Silence
from simulator.server.spans import Duration, SpanError, bar_seconds, duration
from simulator.server.subscriptions import Book
from simulator.wire import answers, bars, codes, requests, times

BARS_MAX: Final = 100_000
"""In one answer; ten days of 10-s bars are 23,400. More would stall every other client while it is written."""
_KINDS: Final = {
    "TRADES": "TRADES",
    "ADJUSTED_LAST": "TRADES",
    "MIDPOINT": "MIDPOINT",
    "BID": "BID",
    "ASK": "ASK",
}


@dataclass(slots=True, eq=False)
class Growing:
    """A subscription that goes on after the history: the last bar grows, then the next one starts."""

    session: Session
    request_id: int
    bar_seconds: int
    kind: str
    regular_only: bool
    format_date: int
    last: Bar | None


class HistoryDesk(Desk):
    """20, 25, 87 and 90."""

    def __init__(self, office: Office, silence: Silence) -> None:
        super().__init__(office)
        self._silence = silence
        self.pacing = HistoryPacing()
        self.refusal = ""
        """A fault: history is down, and this is the cause given."""
        self._hours = RegularHours(office.venue)
        self._growing: Book[Growing] = Book()

    def routes(self) -> Mapping[int, Route]:
        """Message id to reader and handler."""
        return {
            20: (requests.History.read, self._history),
            25: (requests.RequestId.read, self._cancel),
            87: (requests.HeadTimestamp.read, self._head_timestamp),
            90: (requests.RequestId.read_bare, self._cancel_head_timestamp),
        }

    def forget(self, session: Session) -> None:
        """Drop what was kept up to date."""
        self._growing.forget(session)

    def forget_all(self) -> None:
        """Drop what was kept up to date for everybody (1101)."""
        self._growing.forget(None)

    def growing(self) -> list[tuple[Session, int]]:
        """(session, request id) of everything that is kept up to date."""
        return self._growing.keys()

    # ---- requests ---------------------------------------------------------------------------------------------
    def _history(self, session: Session, wanted: requests.History) -> None:
        try:
            seconds = bar_seconds(wanted.bar_size)
            length = duration(wanted.duration)
        except SpanError as cause:
            self._invalid(session, wanted.request_id, str(cause))
            return
        instrument = find_instrument(self.venue, wanted.contract)
        if instrument is None:
            self.office.error(session, wanted.request_id, codes.NO_DEFINITION)
            return
        end_ms = self._end_ms(session, wanted)
        if end_ms is None or not self._is_admitted(session, wanted, instrument, seconds):
            return
        if wanted.what_to_show == "SCHEDULE":
            self._schedule(session, wanted, length)
        elif wanted.what_to_show not in _KINDS:
            self._unavailable(session, wanted.request_id, "No historical market data for this kind of data")
        else:
            self._answer(session, wanted, instrument, end_ms, seconds, length)

    def _end_ms(self, session: Session, wanted: requests.History) -> int | None:
        """The end of the span; None when it was refused."""
        if not wanted.end:
            return self.office.now_ms
        if wanted.keep_up_to_date:
            self._invalid(session, wanted.request_id, "End time not supported with keepUpToDate")
            return None
        try:
            return times.parse_moment(wanted.end)
        except times.TimeTextError:
            self.office.error(session, wanted.request_id, codes.BAD_END_TIME)
            return None

    def _is_admitted(self, session: Session, wanted: requests.History, instrument: Instrument, seconds: int) -> bool:
        """Neither down, nor a second subscription of an id, nor against the pacing rules."""
        if self.refusal:
            self._unavailable(session, wanted.request_id, self.refusal)
            return False
        if (session, wanted.request_id) in self._growing:
            self.office.error(session, wanted.request_id, codes.DUPLICATE_TICKER)
            return False
        if seconds > SMALL_BAR_SECONDS_MAX:
            return True
        identity = (wanted.contract, wanted.end, seconds, wanted.duration, wanted.use_rth, wanted.what_to_show)
        kind = (instrument.con_id, wanted.contract.exchange, wanted.what_to_show)
        broken = self.pacing.violation(self.office.now_ms, identity, kind)
        if broken:
            self._unavailable(session, wanted.request_id, f"Historical data request pacing violation: {broken}")
        return not broken

    def _answer(
        self,
        session: Session,
        wanted: requests.History,
        instrument: Instrument,
        end_ms: int,
        seconds: int,
        length: Duration,
    ) -> None:
        kind = _KINDS[wanted.what_to_show]
        if length.calendar_seconds // seconds > BARS_MAX * 4:
            self._invalid(session, wanted.request_id, "Time length exceed max.")
            return
        found = self.venue.history(
            instrument, end_ms, length.seconds, seconds, kind, wanted.use_rth, duration_days=length.days
        )
        if not found and not wanted.keep_up_to_date:
            cause = f"HMDS query returned no data: {instrument.symbol}@SMART {wanted.what_to_show}"
            self._unavailable(session, wanted.request_id, cause)
            return
        start_ms = end_ms - length.calendar_seconds * 1000
        span = (times.moment_text(start_ms, session.version), times.moment_text(end_ms, session.version))
        self.office.send(
            session,
            bars.historical_data(session.version, wanted.request_id, found, seconds, wanted.format_date, *span),
        )
        if wanted.keep_up_to_date:
            last = found[-1] if found else None
            line = Growing(session, wanted.request_id, seconds, kind, wanted.use_rth, wanted.format_date, last)
            self._growing.add(instrument.con_id, line)

    def _schedule(self, session: Session, wanted: requests.History, length: Duration) -> None:
        days = max(1, min(length.days or length.seconds // 86_400, 30))
        opened = [
            (day, *((regular, end) if wanted.use_rth else (start, late)))
            for day, start, late, regular, end in self.venue.schedule(days)
            if end > regular
        ]
        self.office.send(session, bars.historical_schedule(wanted.request_id, opened))

    def _cancel(self, session: Session, wanted: requests.RequestId) -> None:
        if self._growing.drop(session, wanted.request_id):
            cause = codes.history(f"API historical data query cancelled: {wanted.request_id}")
            self.office.error(session, wanted.request_id, codes.HISTORY, cause)
        else:
            text = f"No historical data query found for ticker id:{wanted.request_id}"
            self.office.error(session, wanted.request_id, codes.NO_HISTORY_QUERY, text)

    def _head_timestamp(self, session: Session, wanted: requests.HeadTimestamp) -> None:
        instrument = find_instrument(self.venue, wanted.contract)
        if instrument is None:
            self.office.error(session, wanted.request_id, codes.NO_DEFINITION)
            return
        head_ms = self.venue.head_ms(instrument)
        text = str(head_ms // 1000) if wanted.format_date == 2 else times.utc_text(head_ms)
        self.office.send(session, answers.head_timestamp(wanted.request_id, text))

    def _cancel_head_timestamp(self, session: Session, wanted: requests.RequestId) -> None:
        """Answered at once, so there is never one left to cancel; TWS says nothing either."""

    def _invalid(self, session: Session, request_id: int, cause: str) -> None:
        self.office.error(session, request_id, codes.VALIDATING, codes.validating(cause))

    def _unavailable(self, session: Session, request_id: int, cause: str) -> None:
        self.office.error(session, request_id, codes.HISTORY, codes.history(cause))

    # ---- news -------------------------------------------------------------------------------------------------
    def on_bar5(self, instrument: Instrument, bar: Bar) -> None:
        """Send the bars of every subscription that have changed, read from the same tape as the history."""
        lines = self._growing.of(instrument.con_id)
        if lines and self._silence.holds(instrument, self.office.now_ms):
            return
        for line in lines:
            if line.regular_only and not self._hours.contains(bar.start_ms):
                continue
            for fresh in self._since(line, instrument, bar.end_ms):
                line.last = fresh
                update = bars.historical_data_update(
                    line.session.version, line.request_id, fresh, line.bar_seconds, line.format_date
                )
                self.office.send(line.session, update)

    def _since(self, line: Growing, instrument: Instrument, now_ms: int) -> list[Bar]:
        start_ms = line.last.start_ms if line.last is not None else now_ms - line.bar_seconds * 1000
        is_daily = line.bar_seconds >= bars.DAY_SECONDS
        seconds = 0 if is_daily else (now_ms - start_ms) // 1000
        found = self.venue.history(
            instrument, now_ms, seconds, line.bar_seconds, line.kind, line.regular_only, duration_days=int(is_daily)
        )
        return [each for each in found if each.start_ms >= start_ms and each != line.last]
