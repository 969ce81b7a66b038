"""Commands through Postgres: heard at once or later, once each, again after a restart, in spite of outages."""

from __future__ import annotations

import asyncio
import queue
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

from config import load_settings
from db.commands import CommandKind, CommandListener, SessionCommand, command_answer, send_command
from db.engine import open_database
from db.lock import SessionLock
from db.migrate import upgrade
from runtime.control import ControlAnswer, ControlRequest
from runtime.planning import plan_for
from runtime.postgres_side import present_in_postgres
from runtime.stack.postgres import EmbeddedPostgres
from tests.support.postgres import kill_server
from tests.support.shipping import ENOUGH_SECONDS

SESSION = "DU1234567-20240605"
NEVER_SECONDS = 3_600.0  # a poll that does not come in time: what is heard was notified


class Ear:
    """A listener, and what it has heard."""

    def __init__(self, url: str, session: str = SESSION, poll_seconds: float = NEVER_SECONDS) -> None:
        self.heard: queue.SimpleQueue[SessionCommand] = queue.SimpleQueue()
        self.listener = CommandListener(url, session, self.heard.put, poll_seconds)

    def next(self) -> SessionCommand:
        return self.heard.get(timeout=ENOUGH_SECONDS)


@contextmanager
def listening(url: str, session: str = SESSION, poll_seconds: float = NEVER_SECONDS) -> Iterator[Ear]:
    ear = Ear(url, session, poll_seconds)
    ear.listener.start()
    try:
        yield ear
    finally:
        ear.listener.stop()


def suspend(url: str, key: str | None = None, session: str = SESSION) -> int:
    return send_command(url, CommandKind.SUSPEND, session=session, requested_by="anna", request_key=key)


def test_commands_are_heard_in_order_with_what_they_ask_for(postgres_url: str) -> None:
    suspend(postgres_url)
    with listening(postgres_url) as ear:
        assert (ear.next().kind, ear.heard.empty()) == (CommandKind.SUSPEND, True)
        number = send_command(
            postgres_url, CommandKind.FLATTEN, session=SESSION, requested_by="flow", tickers=["CVNA", "GLD"]
        )
        heard = ear.next()
        assert (heard.id, heard.kind, heard.tickers) == (number, CommandKind.FLATTEN, ("CVNA", "GLD"))
        assert (heard.requested_by, heard.whole_account) == ("flow", False)


async def test_a_resume_of_minutes_ago_is_not_carried_out(postgres_url: str, tmp_path: Path) -> None:
    """The database kept it from the session; whoever asked may have thought better of it. A flatten is always done."""
    settings = load_settings({"state_folder": tmp_path}, environment={}, env_file=tmp_path / "none")
    plan, done = plan_for(settings, "2024-06-05"), asyncio.Queue[str]()
    asked = [
        send_command(postgres_url, kind, session=plan.session, requested_by="anna")
        for kind in (CommandKind.RESUME, CommandKind.FLATTEN)
    ]
    with open_database(postgres_url).begin() as connection:
        connection.execute(text("UPDATE commands SET requested_at = requested_at - interval '10 minutes'"))
    fresh = send_command(postgres_url, CommandKind.RESUME, session=plan.session, requested_by="anna")

    def answer(request: ControlRequest) -> ControlAnswer:
        done.put_nowait(request.command)
        return ControlAnswer(accepted=True)

    lock = SessionLock(postgres_url, plan.account, plan.date)
    async with present_in_postgres(lock, settings, plan, 1, postgres_url, answer, print, print):
        assert [await done.get(), await done.get()] == ["flatten", "resume"]
    answers = [command_answer(postgres_url, number) for number in (*asked, fresh)]
    assert (answers[0] or "").startswith("not done: asked for 600 s ago")
    assert all(words and "not done" not in words for words in answers[1:])


def test_a_command_of_another_session_is_not_heard(postgres_url: str) -> None:
    with listening(postgres_url) as ear:
        suspend(postgres_url, session="DU7-20240605")
        mine = suspend(postgres_url)
        assert ear.next().id == mine


def test_the_same_request_is_carried_out_once(postgres_url: str) -> None:
    with listening(postgres_url) as ear:
        first = suspend(postgres_url, key="run 17")
        assert suspend(postgres_url, key="run 17") == first
        last = suspend(postgres_url)
        assert [ear.next().id, ear.next().id] == [first, last]


def test_handled_commands_are_answered_and_not_heard_again(postgres_url: str) -> None:
    first, second = suspend(postgres_url), suspend(postgres_url)
    with listening(postgres_url) as ear:
        assert {ear.next().id, ear.next().id} == {first, second}
        ear.listener.mark_handled(first, "suspended")
        ear.listener.mark_handled(first, "suspended again")  # the first answer counts
    assert command_answer(postgres_url, first) == "suspended"
    assert command_answer(postgres_url, second) is None
    with listening(postgres_url) as after_restart:
        assert after_restart.next().id == second


def test_a_missed_notification_is_made_up_for_by_the_poll(postgres_url: str) -> None:
    with listening(postgres_url, poll_seconds=0.01) as ear:
        suspend(postgres_url)
        ear.next()  # it listens now
        with open_database(postgres_url).begin() as connection:
            connection.execute(
                text(
                    "INSERT INTO commands (request_key, session, kind, tickers, whole_account, requested_by)"
                    " VALUES ('by hand', :session, 'stop', '{}', false, 'psql')"
                ),
                {"session": SESSION},
            )
        assert ear.next().kind is CommandKind.STOP


def test_an_outage_of_the_database_is_survived(own_server: EmbeddedPostgres) -> None:
    own_server.start()
    url = own_server.ensure_database("trader")
    upgrade(url)
    with listening(url) as ear:
        before = suspend(url)
        assert ear.next().id == before
        kill_server(url)
        ear.listener.mark_handled(before, "kept until it is back")
        own_server.start()
        after = suspend(url)
        assert ear.next().id == after
        ear.listener.mark_handled(after, "done")
    assert command_answer(url, before) == "kept until it is back"
    assert command_answer(url, after) == "done"


def test_only_known_kinds_are_stored(postgres_url: str) -> None:
    with pytest.raises(ValueError, match="dance"):
        CommandKind("dance")
