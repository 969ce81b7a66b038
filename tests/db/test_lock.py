"""The advisory lock: one holder per account and day, let go by any death, and never mistaken for held."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import text

from config import load_settings
from core.events import Woke
from db.engine import PEER_LOST_SECONDS, open_database
from db.journal import Journal
from db.lock import LockState, SessionLock, is_free
from db.queries import session_state
from runtime import postgres_side
from runtime.alerts import Alerts, LastingAlerts
from runtime.bootstrap import open_session, tell_lock
from runtime.control import ControlAnswer
from runtime.holder import SessionAlreadyRunning
from runtime.planning import plan_for
from runtime.stack.postgres import EmbeddedPostgres
from tests.support.postgres import kill_server

ACCOUNT, DAY = "DU1234567", "2024-06-05"


def test_one_holds_it_at_a_time(postgres_url: str) -> None:
    first, second = (SessionLock(postgres_url, ACCOUNT, DAY) for _ in range(2))
    assert is_free(postgres_url, ACCOUNT, DAY)
    assert (first.hold(), first.hold()) == (LockState.HELD, LockState.HELD)
    assert second.hold() == LockState.TAKEN
    assert not is_free(postgres_url, ACCOUNT, DAY)
    first.release()
    assert second.hold() == LockState.HELD
    assert first.hold() == LockState.TAKEN
    second.release()
    assert is_free(postgres_url, ACCOUNT, DAY)


def test_other_accounts_and_days_are_other_locks(postgres_url: str) -> None:
    locks = [SessionLock(postgres_url, *one) for one in ((ACCOUNT, DAY), (ACCOUNT, "2024-06-06"), ("DU7", DAY))]
    assert [lock.hold() for lock in locks] == [LockState.HELD] * 3
    for lock in locks:
        lock.release()


def test_a_killed_holder_lets_go(postgres_url: str) -> None:
    program = f"""
import sys
from db.journal import Journal
from db.lock import SessionLock
lock = SessionLock({postgres_url!r}, {ACCOUNT!r}, {DAY!r})
print(lock.hold(), flush=True)
sys.stdin.read()
"""
    lock = SessionLock(postgres_url, ACCOUNT, DAY)
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        assert lock.hold() == LockState.TAKEN
        holder.send_signal(signal.SIGKILL)
    while lock.hold() is not LockState.HELD:  # the server notices in its own time
        pass
    lock.release()


def test_the_server_looks_after_its_peers_as_we_look_after_it(postgres_url: str) -> None:
    """Without a word from us for 20 s it lets go: of the lock of a machine without power, of a stopped transaction."""
    asked = ("tcp_keepalives_idle", "tcp_keepalives_interval", "tcp_keepalives_count")
    with open_database(postgres_url).connect() as connection:
        idle, interval, count = (int(connection.scalar(text(f"SHOW {name}")) or 0) for name in asked)
        in_transaction = connection.scalar(text("SHOW idle_in_transaction_session_timeout"))
    assert 0 < idle + interval * count <= PEER_LOST_SECONDS
    assert in_transaction == "1min"


async def test_a_session_waits_for_the_lock_of_a_dead_one_and_not_for_a_living_ones(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_side, "DEAD_SECONDS", 1.0)
    settings = load_settings({"state_folder": tmp_path}, environment={}, env_file=tmp_path / "none")
    plan = plan_for(settings, DAY)
    other = SessionLock(postgres_url, ACCOUNT, DAY)
    assert other.hold() == LockState.HELD
    where = (plan, tmp_path, postgres_url)
    with pytest.raises(SessionAlreadyRunning):
        async with postgres_side.locked_in_postgres(*where):
            pass
    hold = SessionLock.hold

    def held_until_now(lock: SessionLock) -> LockState:
        state = hold(lock)
        if state is LockState.TAKEN:
            other.release()  # the server has noticed the death, between two looks
        return state

    monkeypatch.setattr(SessionLock, "hold", held_until_now)
    async with postgres_side.locked_in_postgres(*where):
        assert not is_free(postgres_url, ACCOUNT, DAY)
    assert is_free(postgres_url, ACCOUNT, DAY)


async def test_a_session_that_is_refused_because_of_another_machine_leaves_that_ones_alone(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its epoch in Postgres would have ended the living session, and forbidden its rows."""
    monkeypatch.setattr(postgres_side, "DEAD_SECONDS", 0.0)
    here, there = (
        load_settings(
            {"state_folder": tmp_path / machine, "database_url": postgres_url, "tickers": "GLD"},
            environment={},
            env_file=tmp_path / "none",
        )
        for machine in ("here", "there")
    )
    async with open_session(there, DAY) as living:
        living.take(Woke(0, "any"))
        while not (known := session_state(postgres_url, living.plan.session)) or not known.shipped_sequence:
            await asyncio.sleep(0)
        with pytest.raises(SessionAlreadyRunning):
            async with open_session(here, DAY):
                pass
        assert session_state(postgres_url, living.plan.session) == known
    async with open_session(here, DAY) as successor:
        assert successor.session._journal.epoch == known.epoch + 1
        assert successor.session._journal.last_sequence == 1


async def test_a_lock_that_another_process_took_is_told_until_it_is_ours_again(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Postgres ended our connection, and another machine, with a journal of its own, was quicker."""
    monkeypatch.setattr(postgres_side, "HOLD_SECONDS", 0.01)
    settings = load_settings({"state_folder": tmp_path}, environment={}, env_file=tmp_path / "none")
    plan = plan_for(settings, DAY)
    other, looks = SessionLock(postgres_url, ACCOUNT, DAY), asyncio.Queue[LockState]()
    with Journal.open(tmp_path, plan.session) as journal:
        alerts = LastingAlerts(Alerts((), plan.session), journal)

        def look(state: LockState) -> None:
            tell_lock(plan.session, lambda: 0, alerts, state)
            looks.put_nowait(state)

        where = (settings, plan, 1, postgres_url, lambda request: ControlAnswer(accepted=True), lambda words: None)
        async with (
            postgres_side.locked_in_postgres(plan, tmp_path / "none", postgres_url) as lock,
            postgres_side.present_in_postgres(lock, *where, look),
        ):
            with open_database(postgres_url).begin() as connection:
                while other.hold() is not LockState.HELD:  # the session's own look may come first: then once more
                    connection.execute(
                        text("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'")
                    )
            while await looks.get() is not LockState.TAKEN:
                pass
            assert journal.standing_alerts() == {"lock"}
            other.release()
            while await looks.get() is not LockState.HELD:
                pass
            assert journal.standing_alerts() == set()


def test_with_the_database_away_nobody_holds_it(own_server: EmbeddedPostgres) -> None:
    url = own_server.start()
    lock = SessionLock(url, ACCOUNT, DAY)
    assert lock.hold() == LockState.HELD
    kill_server(url)
    while (state := lock.hold()) is LockState.HELD:  # as long as the server's other processes have not noticed
        pass
    assert state is LockState.UNREACHABLE
    own_server.start()
    other = SessionLock(url, ACCOUNT, DAY)
    assert other.hold() == LockState.HELD
    assert lock.hold() == LockState.TAKEN
    other.release()
    assert lock.hold() == LockState.HELD
    lock.release()
