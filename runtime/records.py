"""What people look up: the rows of a day from Postgres."""

from __future__ import annotations

import datetime
import logging
from typing import Any, Final

from config import Settings
from db.journal import JournalError
from db.queries import latest_trade_date, read_view
from runtime.database import with_database
from runtime.shipping import ship_rest

VIEWS: Final = {"trades": "v_trades", "decisions": "v_decisions"}

log = logging.getLogger(__name__)


def read_day(settings: Settings, what: str, date: str | None) -> tuple[str | None, list[dict[str, Any]]]:
    """The rows of `what` (`trades` or `decisions`) of an Eastern date; without one, of the newest day on record.

    What sessions that have ended left in their local journals is shipped first. One of which Postgres does not take the
    rest keeps nobody from reading the others.
    """
    with with_database(settings) as running:
        assert running.database_url is not None
        url = running.database_url.get_secret_value()
        for folder in sorted((settings.state_folder / "sessions").glob("*")):
            try:
                ship_rest(folder, folder.name, url)
            except (TimeoutError, JournalError) as problem:
                log.warning("not everything is shown: %s", problem)
        day = datetime.date.fromisoformat(date) if date else latest_trade_date(url)
        if day is None:
            return None, []
        return day.isoformat(), read_view(url, VIEWS[what], trade_date=day)
