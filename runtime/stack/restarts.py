"""A trading day whose process has died is started again: at once, then after growing pauses, and not for ever.

Prefect's own record of runs is read anew each time, and each death is answered under a key of its own: whoever dies
meanwhile, Prefect, its worker or this process, nothing is forgotten and nothing is done twice.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from datetime import datetime
from http import HTTPStatus
from typing import Any

import aiohttp
from pydantic import BaseModel, TypeAdapter

from config import Settings
from core.records import Alert
from core.vocabulary import Severity
from db.journal import is_locked
from runtime.calendar import eastern_date
from runtime.planning import MarketClosed, plan_for, session_folder
from runtime.ports import AlertSink

PAUSES_SECONDS = (0.0, 15.0, 60.0, 120.0, 240.0)
"""Before the first restart in a row, the second, ...; after the last of them the day is given up."""

SETTLED_SECONDS = 600.0
"""A run that has lived for so long begins a new row."""

RECENT_SECONDS = 3_600.0
"""Deaths further apart are no row, and one so long ago is nobody's concern any more."""

TRADING_FLOWS = ("trading_day", "intraday")
"""What trades: the whole day in one process, or its loop alone where the day is run in parts."""

GIVEN_UP = "given_up"
DEATHS_MAX = len(PAUSES_SECONDS) + 1
TIMEOUT = aiohttp.ClientTimeout(total=5)

log = logging.getLogger(__name__)


class Death(BaseModel, frozen=True):
    """A crashed run of what trades, as Prefect keeps it."""

    id: str
    name: str
    deployment_id: str
    parameters: dict[str, Any]
    expected_start_time: datetime
    start_time: datetime  # that of its death, where its flow had not begun
    end_time: datetime

    @property
    def is_settled(self) -> bool:
        """Whether it had lived for a while."""
        return self.seconds_since(self.start_time) >= SETTLED_SECONDS

    @property
    def date(self) -> str:
        """The Eastern date that it traded."""
        return str(self.parameters.get("date") or eastern_date(int(self.expected_start_time.timestamp() * 1000)))

    def seconds_since(self, moment: datetime) -> float:
        """From the moment to the death."""
        return (self.end_time - moment).total_seconds()


def has_process(settings: Settings, date: str) -> bool:
    """Whether a process of this machine holds the session of an Eastern date."""
    try:
        plan = plan_for(settings, date)
    except MarketClosed:
        return False
    return is_locked(session_folder(settings, plan), plan.session)


DEATHS = TypeAdapter(tuple[Death, ...])


def in_a_row(deaths: Iterable[Death]) -> int:
    """How many died one soon after another, by deaths from the newest on; 1 where that one had lived for a while."""
    count, later = 0, None
    for death in deaths:
        if later is not None and later.seconds_since(death.end_time) > RECENT_SECONDS:
            break
        count, later = count + 1, death
        if death.is_settled:
            break
    return count


class Restarts:
    """Looks after the trading day of one Prefect server."""

    def __init__(
        self, api_url: str, alerts: AlertSink, is_alive: Callable[[str], bool], now: Callable[[], float] = time.time
    ) -> None:
        """`is_alive`: whether the session of an Eastern date has a process. `now`: epoch seconds."""
        self._api_url = api_url
        self._alerts = alerts
        self._is_alive = is_alive
        self._now = now
        self._is_away = False
        self._outlived = ""  # the death that was none: Prefect had lost sight of its process
        self._answered = ""  # the newest death that needs nothing any more

    async def look(self) -> bool:
        """Answer the newest death, once its pause is over; whether the server answered. The next look asks again."""
        try:
            async with aiohttp.ClientSession(raise_for_status=True, timeout=TIMEOUT) as http:
                deaths = await self._deaths(http)
                if deaths and deaths[0].id != self._answered:
                    await self._answer(http, deaths)
            self._is_away = False
        except (aiohttp.ClientError, TimeoutError, ValueError) as problem:
            level = logging.DEBUG if self._is_away else logging.WARNING  # once an outage, not once a second
            log.log(level, "Prefect's server cannot be asked for dead trading days: %r", problem)
            self._is_away = True
        return not self._is_away

    async def _answer(self, http: aiohttp.ClientSession, deaths: tuple[Death, ...]) -> None:
        newest, count = deaths[0], in_a_row(deaths)
        dead_seconds = self._now() - newest.end_time.timestamp()
        if self._is_alive(newest.date):  # after an absence of the server, for one: its real death nobody will report
            self._outlived = newest.id
        elif dead_seconds > RECENT_SECONDS and newest.id != self._outlived:
            self._answered = newest.id
        elif count > len(PAUSES_SECONDS):
            await self._give_up(http, newest)
        elif not 0 <= dead_seconds < PAUSES_SECONDS[count - 1]:  # a clock that was set back makes nobody wait
            parameters = {**newest.parameters, "date": newest.date}
            if await self._create(http, newest.deployment_id, parameters, f"restart-{newest.id}"):
                log.error("the process of %s has died (%d in a row): it is started again", newest.name, count)
            self._answered = newest.id

    async def _give_up(self, http: aiohttp.ClientSession, newest: Death) -> None:
        """Flatten instead, which alone can know whether something is held, and tell people."""
        async with http.get(f"{self._api_url}/deployments/name/flatten/trader") as answer:
            flatten = (await answer.json())["id"]
        if await self._create(http, flatten, {"date": newest.date}, f"given-up-{newest.id}"):
            text = (
                f"{DEATHS_MAX} processes of {newest.date} died, each within {SETTLED_SECONDS / 60:.0f} minutes: none is"
                " started any more, and a flatten has been started in their place. See that it ends well (`trader"
                " status`, the run 'flatten', TWS), and why they died (the runs' logs, memory, disk). To trade on, run"
                " the deployment again."
            )
            at_ms = int(self._now() * 1000)
            self._alerts.clear(at_ms, GIVEN_UP, "It was started again by a person.")
            self._alerts.send(Alert(at_ms, Severity.CRITICAL, GIVEN_UP, "The trading day has been given up", text))
        self._answered = newest.id

    async def _deaths(self, http: aiohttp.ClientSession) -> tuple[Death, ...]:
        """The latest crashed runs, the newest first; the loop within a whole day is of no deployment, and is none."""
        wanted = {
            "flows": {"name": {"any_": TRADING_FLOWS}},
            "deployments": {"name": {"any_": ["trader"]}},
            "flow_runs": {"state": {"type": {"any_": ["CRASHED"]}}},
            "sort": "END_TIME_DESC",
            "limit": DEATHS_MAX,
        }
        async with http.post(f"{self._api_url}/flow_runs/filter", json=wanted) as answer:
            return DEATHS.validate_python(await answer.json())

    async def _create(
        self, http: aiohttp.ClientSession, deployment_id: str, parameters: dict[str, Any], key: str
    ) -> bool:
        """Ask for a run of the deployment; False where it had been asked for under this key before."""
        wanted = {"parameters": parameters, "idempotency_key": key}
        address = f"{self._api_url}/deployments/{deployment_id}/create_flow_run"
        async with http.post(address, json=wanted) as answer:
            return answer.status == HTTPStatus.CREATED
