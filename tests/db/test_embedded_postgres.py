"""The embedded server has as many users as want it, and stops with the last."""

from __future__ import annotations

import pytest

from db.engine import DatabaseError, data_directory
from runtime.stack.postgres import EmbeddedPostgres


def test_the_last_user_stops_the_server(own_server: EmbeddedPostgres) -> None:
    other = EmbeddedPostgres(own_server._folder)
    with own_server.used() as url:
        with other.used() as same:
            assert same == url
        assert data_directory(url)  # the other one's leaving left it running
    with pytest.raises(DatabaseError):
        data_directory(url)


def test_it_starts_again_for_the_next_user(own_server: EmbeddedPostgres) -> None:
    for _ in range(2):
        with own_server.used() as url:
            assert data_directory(url)
