"""Scripts, the random schedule, the log and the control port."""

from __future__ import annotations

import asyncio
import contextlib
import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from simulator.app import Gateway
from simulator.clock import eastern, eastern_ms
from simulator.faults.action import Action
from simulator.faults.chaos import schedule
from simulator.faults.script import ScriptError, built_in, load, parse
from tests.simulator.wire.clients import Raw, running
from tests.simulator.wire.test_fault_links import codes

DAY = date(2025, 3, 12)
START_MS = eastern_ms(DAY, 9 * 3600 + 32 * 60)


def written(folder: Path, text: str) -> Path:
    path = folder / "script.yaml"
    path.write_text(text, encoding="utf-8")
    return path


async def test_a_script_acts_at_its_times_and_is_logged(tmp_path: Path) -> None:
    script = written(
        tmp_path,
        """
        name: two notices
        faults:
          - at: "09:32:03"
            code: {code: 2110}
          - at: "+5"
            code: {code: 1100}
        """,
    )
    log = tmp_path / "faults.jsonl"
    async with running(faults=script, fault_log=log) as gateway:
        raw = await Raw.connect(gateway.port)
        seen = [codes(await raw.second()) for _ in range(6)]
        assert seen == [[], [], ["2110"], [], ["1100"], []]
        raw.close()
    entries = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    assert [(entry["at"], entry["fault"]) for entry in entries] == [
        ("2025-03-12 09:32:03", "code"),
        ("2025-03-12 09:32:05", "code"),
    ]


async def test_events_are_counted_matched_and_waited_after(tmp_path: Path) -> None:
    script = written(
        tmp_path,
        """
        faults:
          - when: request
            match: {request: reqPositions}
            nth: 2
            times: 2
            after_seconds: 2
            code: {code: 2110}
          - when: start
            match: {client_id: 1}
            code: {code: 1100, clients: [1]}
        """,
    )
    async with running(faults=script) as gateway:
        raw = await Raw.connect(gateway.port)
        assert codes(await raw.second()) == ["1100"]
        for _ in range(4):
            raw.send(61, 1)
        seen = [codes(await raw.second()) for _ in range(4)]
        assert seen == [[], ["2110", "2110"], [], []]
        raw.close()


BAD_ENTRIES = [
    ({"at": "10:00"}, "exactly one action"),
    ({"at": "10:00", "drop": {}, "code": {}}, "exactly one action"),
    ({"at": "10:00", "dorp": {}}, "allowed are"),
    ({"at": "10:00", "drop": {"how": "rudely"}}, "fin, rst, silent"),
    ({"at": "10:00", "drop": {"wait": 1}}, "how, seconds, clients"),
    ({"at": "25:00", "drop": {}}, "25:00"),
    ({"at": 36000, "drop": {}}, "quoted"),
    ({"drop": {}}, "either"),
    ({"at": "10:00", "when": "fill", "drop": {}}, "either"),
    ({"when": "moon", "drop": {}}, "order, modify, cancel"),
    ({"when": "fill", "nth": 0, "drop": {}}, "at least 1"),
    ({"when": "fill", "match": {"colour": "red"}, "drop": {}}, "symbol"),
    ({"at": "10:00", "lose": {"messages": ["gossip"]}}, "gossip"),
    ({"at": "10:00", "lose": {"probability": 0.0}}, "probability"),
    ({"at": "10:00", "drop": {"seconds": "long"}}, "int"),
    ({"at": "10:00", "connectivity": {"restored": 1100}}, "1101, 1102"),
    ("drop", "expected a table"),
]


@pytest.mark.parametrize(("entry", "said"), BAD_ENTRIES)
def test_a_script_that_makes_no_sense_says_why(entry: Any, said: str) -> None:
    with pytest.raises(ScriptError, match="fault 1: ") as caught:
        parse([entry], DAY, START_MS)
    assert said in str(caught.value)


def test_a_file_that_is_no_script_says_why(tmp_path: Path) -> None:
    for text in ("[]", "faults: 1", "a: [", "faults: []\ncolour: red"):
        with pytest.raises(ScriptError, match=r"script\.yaml"):
            load(written(tmp_path, text), DAY, START_MS)
    with pytest.raises(ScriptError, match="case_01"):
        load(Path("case_99"), DAY, START_MS)


def test_every_case_has_a_script() -> None:
    for number in range(1, 47):
        assert load(Path(f"case_{number:02d}"), DAY, START_MS) is not None
        assert built_in(f"case_{number:02d}").stem.startswith(f"case_{number:02d}_")


def test_chaos_is_the_same_for_the_same_seed_and_stays_inside_the_day() -> None:
    tickers = ("SOXL", "GLD")
    for seed in range(300):
        drawn = schedule(seed, DAY, START_MS, tickers)
        assert drawn == schedule(seed, DAY, START_MS, tickers)
        assert 8 <= len(drawn) <= 16
        moments = [eastern(fault.at_ms).strftime("%H:%M:%S") for fault in drawn if fault.at_ms is not None]
        assert moments == sorted(moments)
        assert "09:40:00" <= moments[0] <= moments[-1] <= "15:50:00"
    half_day = schedule(1, date(2024, 11, 29), 0, tickers)
    assert all(eastern(fault.at_ms or 0).hour < 13 for fault in half_day)


def test_chaos_knows_every_kind_it_draws() -> None:
    kinds = {type(fault.action).name for seed in range(300) for fault in schedule(seed, DAY, START_MS, ("SOXL",))}
    assert len(kinds) >= 20
    assert kinds <= set(Action.registry)


async def asked(gateway: Gateway, *lines: bytes) -> list[dict[str, Any]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.control_port)
    answers = []
    for line in lines:
        writer.write(line + b"\n")
        answers.append(json.loads(await reader.readline()))
    writer.close()
    return answers


async def test_the_control_port() -> None:
    async with running(control_port=0) as gateway:
        raw = await Raw.connect(gateway.port)
        answers = await asked(
            gateway,
            b'{"code": {"code": 2110}}',
            b'{"ask": "state"}',
            b'{"advance": 30}',
            b'{"ask": "log"}',
            b'{"drop": {"how": "rudely"}}',
            b"gossip",
            b'{"ask": "everything"}',
            b'{"advance": -1}',
            b'{"at": "09:33:00", "drop": {"seconds": 1}}',
        )
        assert [answer["ok"] for answer in answers] == [True, True, True, True, False, False, False, False, True]
        assert answers[1]["at"] == "2025-03-12 09:32:00"
        assert answers[1]["clients"] == [1]
        assert answers[2]["now_ms"] == START_MS + 30_000
        assert [entry["fault"] for entry in answers[3]["log"]] == ["code"]
        assert "fin, rst, silent" in answers[4]["error"]
        assert codes(await raw.until("4", "2", "-1", "2110")) == ["2110"]
        raw.close()


async def test_a_line_that_never_ends_costs_only_its_own_connection() -> None:
    async with running(control_port=0) as gateway:
        reader, writer = await asyncio.open_connection("127.0.0.1", gateway.control_port)
        writer.write(b"x" * (1 << 17))
        with contextlib.suppress(ConnectionResetError):
            assert await reader.read() == b""
        assert (await asked(gateway, b'{"ask": "state"}'))[0]["ok"]
        writer.close()
