"""Real money waits for a probe of the paper twin, or for the owner's word."""

from pathlib import Path

import pytest

from config import load_settings
from runtime.probe import ACCEPTED_WITHOUT, NotProbed, ProbeRefused, must_be_probed, probe, report_file

LIVE = {"mode": "live", "live": True, "account": "U7654321"}


def test_live_without_a_probe_does_not_start(tmp_path: Path) -> None:
    with pytest.raises(NotProbed, match="trader probe-broker"):
        must_be_probed(load_settings(LIVE | {"state_folder": tmp_path}))


def test_live_starts_once_a_probe_is_stored(tmp_path: Path) -> None:
    settings = load_settings(LIVE | {"state_folder": tmp_path})
    report_file(settings).write_text("{}")
    must_be_probed(settings)


def test_the_owner_may_take_it_on_in_words_and_in_no_others(tmp_path: Path) -> None:
    must_be_probed(load_settings(LIVE | {"state_folder": tmp_path, "live_without_probe": ACCEPTED_WITHOUT}))
    with pytest.raises(NotProbed):
        must_be_probed(load_settings(LIVE | {"state_folder": tmp_path, "live_without_probe": "yes"}))


def test_paper_needs_no_probe(tmp_path: Path) -> None:
    must_be_probed(load_settings({"mode": "paper", "account": "DU7654321", "state_folder": tmp_path}))


async def test_the_probe_never_trades_real_money(tmp_path: Path) -> None:
    with pytest.raises(ProbeRefused, match="paper"):
        await probe(load_settings(LIVE | {"state_folder": tmp_path}))
