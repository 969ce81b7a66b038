"""The advisory lock: one holder per account and day, let go by any death, and never mistaken for held."""

from __future__ import annotations

import signal
import subprocess
import sys

from db.lock import LockState, SessionLock, is_free
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
