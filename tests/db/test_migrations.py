"""Migrations give the tables of the models, quickly, and any number of times."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from db.engine import ensure_database, open_database
from db.migrate import DatabaseTooNew, known_steps, upgrade
from db.models import Base
from db.views import VIEWS

MIGRATIONS = Path(__file__).resolve().parents[2] / "db" / "migrations"


def test_migrations_give_the_tables_of_the_models(postgres_url: str) -> None:
    with open_database(postgres_url).connect() as connection:
        options = {"compare_type": True, "compare_server_default": True}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, Base.metadata) == []


def test_constraints_of_words_are_those_of_the_models(postgres_url: str) -> None:
    """Alembic does not compare check constraints."""
    query = """
        SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint
        WHERE contype = 'c' AND connamespace = 'public'::regnamespace
    """
    with open_database(postgres_url).connect() as connection:
        migrated = dict(connection.execute(text(query)).tuples().all())
        connection.execute(text("CREATE SCHEMA fresh"))
        connection.execute(text("SET search_path TO fresh"))
        Base.metadata.create_all(connection)
        made = dict(connection.execute(text(query.replace("public", "fresh"))).tuples().all())
    assert migrated == made
    assert len(made) >= 8


def test_several_upgrades_at_once_and_again_change_nothing_more(postgres_server: str) -> None:
    url = ensure_database(postgres_server, "upgraded_by_many")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(upgrade, [url] * 4))
    upgrade(url)
    with open_database(url).connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM pg_views WHERE schemaname = 'public'")) == len(VIEWS)


def test_views_of_another_program_are_replaced(postgres_url: str) -> None:
    with open_database(postgres_url).begin() as connection:
        connection.execute(text("DROP VIEW v_sessions"))
        connection.execute(text("COMMENT ON VIEW v_trades IS 'another'"))
    upgrade(postgres_url)
    with open_database(postgres_url).connect() as connection:
        assert connection.execute(text("SELECT * FROM v_sessions")).all() == []


def test_the_steps_are_those_that_alembic_finds() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert known_steps() == [step.revision for step in ScriptDirectory.from_config(config).walk_revisions()][::-1]


def test_a_database_of_a_newer_program_is_left_alone(postgres_url: str) -> None:
    with open_database(postgres_url).begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(DatabaseTooNew, match="step 9999"):
        upgrade(postgres_url)
