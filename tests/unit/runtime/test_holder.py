"""The note of who holds a session: the lock decides, the note only says how to reach it."""

from __future__ import annotations

from pathlib import Path

import pytest

from config import load_settings
from db.journal import Journal
from runtime.commands import command_session
from runtime.control import SessionUnreachable
from runtime.holder import NOTE, Holder, read_holder, write_holder
from runtime.planning import plan_for, session_folder

DATE = "2025-03-12"


def test_a_note_is_read_as_it_was_written(tmp_path: Path) -> None:
    assert read_holder(tmp_path) is None
    write_holder(tmp_path, Holder(pid=7, socket="control.sock", epoch=3))
    assert read_holder(tmp_path) == Holder(pid=7, socket="control.sock", epoch=3)


@pytest.mark.parametrize("text", ["", "{", '{"pid": 7}'])
async def test_a_note_that_a_power_loss_took_hides_no_live_session(text: str, tmp_path: Path) -> None:
    settings = load_settings({"state_folder": tmp_path}, environment={}, env_file=tmp_path / "no.env")
    plan = plan_for(settings, DATE)
    folder = session_folder(settings, plan)
    folder.mkdir(parents=True)
    (folder / NOTE).write_text(text)
    assert (await command_session(settings, "status", DATE, "test")).problem.startswith("no session")
    with Journal.open(folder, plan.session), pytest.raises(SessionUnreachable, match="starting"):
        await command_session(settings, "status", DATE, "test")
