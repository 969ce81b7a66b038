"""The HTTP source against a real server."""

from __future__ import annotations

import asyncio
import gzip
import json
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from core.market import Prediction, PredictionProblem
from predictions import HttpPredictionSource, RecordedPredictionSource
from predictions.http import TRIES
from predictions.rate_limit import LONGEST_SECONDS, RateLimit
from predictions.recorded import RecordedPredictionsUnreadable
from simulator.app import Gateway
from simulator.options import PREDICTIONS_KEY, Options
from tests.predictions.test_parse import answer

TICKERS = ("CVNA", "UVXY", "SOXL", "SOXS", "TQQQ", "SQQQ", "GLD", "SLV")
PATIENCE_SECONDS = 30.0
"""Nobody waits so long, unless something is wrong."""
Handler = Callable[[web.Request], Awaitable[web.Response]]


def success(ticker: str) -> web.Response:
    return web.json_response(answer(ticker=ticker))


@asynccontextmanager
async def source(handler: Handler, key: str = "key", **settings: float) -> AsyncIterator[HttpPredictionSource]:
    """A source that asks a server with this handler."""
    app = web.Application()
    app.router.add_get("/v1/prediction/latest", handler)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made = HttpPredictionSource(
        f"http://127.0.0.1:{runner.addresses[0][1]}/v1/", key, chance=random.Random(1), **settings
    )
    try:
        yield made
    finally:
        await made.close()
        await runner.cleanup()


async def test_all_tickers_are_asked_at_once_and_answered_in_order() -> None:
    waiting: list[str] = []
    everyone = asyncio.Event()

    async def handler(request: web.Request) -> web.Response:
        waiting.append(request.query["ticker"])
        if len(waiting) == len(TICKERS):
            everyone.set()
        await everyone.wait()  # answers come only when all have asked
        return success(request.query["ticker"])

    async with source(handler) as api:
        answers = await api.poll(TICKERS)
    assert [one.ticker for one in answers] == list(TICKERS)
    assert all(isinstance(one, Prediction) for one in answers)


async def test_the_key_is_sent_and_connections_stay_open() -> None:
    peers: set[object] = set()
    keys: list[str | None] = []

    async def handler(request: web.Request) -> web.Response:
        assert request.transport is not None
        peers.add(request.transport.get_extra_info("peername"))
        keys.append(request.headers.get("X-API-Key"))
        return success(request.query["ticker"])

    async with source(handler) as api:
        for _ in range(5):
            await api.poll(["CVNA"])
    assert len(peers) == 1
    assert keys == ["key"] * 5


@pytest.mark.parametrize("status", [400, 401, 404, 429, 501])
async def test_a_refusal_is_a_problem_in_words_and_not_asked_again(status: int) -> None:
    asked: list[str] = []

    async def handler(request: web.Request) -> web.Response:
        asked.append(request.query["ticker"])
        return web.json_response({"status": "error", "code": "NO_MODEL", "message": "none for it"}, status=status)

    async with source(handler) as api:
        (found,) = await api.poll(["CVNA"])
    assert isinstance(found, PredictionProblem)
    assert not found.answered
    assert found.problem.startswith(f"HTTP {status} ")
    assert found.problem.endswith("NO_MODEL none for it")
    assert len(asked) == 1


async def test_a_server_error_is_asked_again() -> None:
    asked: list[str] = []

    async def handler(request: web.Request) -> web.Response:
        asked.append(request.query["ticker"])
        return success("CVNA") if len(asked) == TRIES else web.Response(status=500, text="oops")

    async with source(handler) as api:
        (found,) = await api.poll(["CVNA"])
    assert isinstance(found, Prediction)


async def test_a_silent_server_costs_the_timeout_and_delays_no_other_ticker() -> None:
    asked: list[str] = []

    async def handler(request: web.Request) -> web.Response:
        asked.append(request.query["ticker"])
        if request.query["ticker"] == "UVXY":
            await asyncio.Event().wait()
        return success(request.query["ticker"])

    async with source(handler, timeout_seconds=0.1) as api:
        first, second = await api.poll(["CVNA", "UVXY"])
    assert isinstance(first, Prediction)
    assert second == PredictionProblem("UVXY", "no answer within 0.1 s", answered=False)
    assert asked.count("UVXY") == TRIES


async def test_an_answer_is_handed_on_while_another_is_waited_for() -> None:
    """A ticker that hangs held back the others' predictions for 17 s: three timeouts and the pauses between."""
    may_answer = asyncio.Event()

    async def handler(request: web.Request) -> web.Response:
        if request.query["ticker"] == "CVNA":
            await may_answer.wait()
        return success(request.query["ticker"])

    async with source(handler, timeout_seconds=PATIENCE_SECONDS) as api:
        found = []
        async for answer in api.answers(["CVNA", "UVXY"]):
            found.append(answer)
            may_answer.set()
    assert [answer.asked_ticker for answer in found if isinstance(answer, Prediction)] == ["UVXY", "CVNA"]


async def test_who_stops_listening_ends_what_is_still_asked() -> None:
    async def handler(request: web.Request) -> web.Response:
        if request.query["ticker"] == "CVNA":
            await asyncio.Event().wait()
        return success(request.query["ticker"])

    async with source(handler, timeout_seconds=PATIENCE_SECONDS) as api:
        async with aclosing(api.answers(["CVNA", "UVXY"])) as answers:
            assert isinstance(await anext(answers), Prediction)
            (asking,) = (
                task for task in asyncio.all_tasks() if "PredictionSource._ask" in repr(task) and not task.done()
            )
        with pytest.raises(asyncio.CancelledError):
            await asking


async def test_what_is_no_prediction_counts_as_answered() -> None:
    async def handler(request: web.Request) -> web.Response:
        return web.Response(text="<html>")

    async with source(handler) as api:
        (found,) = await api.poll(["CVNA"])
        assert isinstance(found, PredictionProblem)
        assert found.answered
        assert not api.circuit.is_open


async def test_a_gone_source_is_probed_with_one_request_until_it_is_back() -> None:
    asked: list[str] = []
    is_back = False

    async def handler(request: web.Request) -> web.Response:
        asked.append(request.query["ticker"])
        return success(request.query["ticker"]) if is_back else web.Response(status=404)

    async with source(handler, gone_after_polls=2) as api:
        await api.poll(TICKERS)
        assert not api.circuit.is_open
        await api.poll(TICKERS)
        assert api.circuit.is_open
        asked.clear()
        answers = await api.poll(TICKERS)
        assert asked == ["CVNA"]
        assert [isinstance(one, PredictionProblem) for one in answers] == [True] * len(TICKERS)
        is_back = True
        answers = await api.poll(TICKERS)
        assert [one.ticker for one in answers] == list(TICKERS)
        assert all(isinstance(one, Prediction) for one in answers)
        assert not api.circuit.is_open


@pytest.mark.parametrize(("reset", "wait_seconds"), [("30", 30), ("1741786200", 60)])
async def test_a_spent_rate_limit_is_kept_until_its_reset(reset: str, wait_seconds: float) -> None:
    now = 1_741_786_140.0
    asked: list[str] = []

    async def handler(request: web.Request) -> web.Response:
        asked.append(request.query["ticker"])
        return web.json_response({}, status=429, headers={"X-RateLimit-Reset": reset, "X-RateLimit-Remaining": "0"})

    async with source(handler, now_seconds=lambda: now) as api:  # type: ignore[arg-type]  # a setting that is no number
        await api.poll(["CVNA"])
        assert api.rate_limit.wait_seconds == wait_seconds
        (held,) = await api.poll(["CVNA"])
        assert isinstance(held, PredictionProblem)
        assert f"spent for {wait_seconds} s" in held.problem
        assert len(asked) == 1
        now += wait_seconds
        await api.poll(["CVNA"])
        assert len(asked) == 2


@pytest.mark.parametrize("reset", ["86400", "1741786140000", "9" * 15])
async def test_no_reset_silences_the_source_for_long(reset: str) -> None:
    """The second one is a moment in milliseconds: read as seconds it lies in the year 57,000."""
    limit = RateLimit(lambda: 1_741_786_140.0)
    limit.observe(429, {"X-RateLimit-Reset": reset})
    assert limit.wait_seconds == LONGEST_SECONDS


@pytest.mark.parametrize(
    "reset", ["", "soon", "-5", "1.5", "\N{SUPERSCRIPT TWO}", "\N{ARABIC-INDIC DIGIT TWO}", "9" * 400]
)
async def test_an_unreadable_reset_limits_nothing(reset: str) -> None:
    limit = RateLimit(lambda: 1_741_786_140.0)
    limit.observe(429, {"X-RateLimit-Reset": reset})
    assert limit.wait_seconds == 0


@pytest.mark.parametrize("body", ["[" * 200_000, '{"code": "\\ud800\\u0000"}', json.dumps({"message": "x" * 10_000})])
async def test_a_failure_in_strange_words_is_a_problem(body: str) -> None:
    async def handler(request: web.Request) -> web.Response:
        return web.Response(status=404, text=body)

    async with source(handler) as api:
        (found,) = await api.poll(["CVNA"])
    assert isinstance(found, PredictionProblem)
    assert found.problem.startswith("HTTP 404 Not Found")
    assert found.problem.isprintable()
    assert len(found.problem) < 1_000


async def test_a_key_that_no_header_can_carry_is_a_problem() -> None:
    async def handler(request: web.Request) -> web.Response:
        return success("CVNA")

    async with source(handler, key="s3cret\n") as api:
        (found,) = await api.poll(["CVNA"])
    assert isinstance(found, PredictionProblem)
    assert found.problem.startswith("ValueError")
    assert "s3cret" not in found.problem


async def test_a_dead_server_is_a_problem_not_an_exception() -> None:
    api = HttpPredictionSource("http://127.0.0.1:9", None, 0.2)
    (found,) = await api.poll(["CVNA"])
    await api.close()
    await api.close()
    assert isinstance(found, PredictionProblem)
    assert not found.answered
    assert "ClientConnectorError" in found.problem


async def test_the_embedded_service_is_understood() -> None:
    async with Gateway(Options(port=0, deterministic=True, start="10:00", predictions_port=0)) as gateway:
        api = HttpPredictionSource(f"http://127.0.0.1:{gateway.predictions_port}", PREDICTIONS_KEY)
        answers = await api.poll(TICKERS)
        await api.close()
    assert [one.ticker for one in answers if isinstance(one, Prediction)] == list(TICKERS)


async def test_a_recorded_file_answers_with_the_newest_up_to_now(tmp_path: Path) -> None:
    file = tmp_path / "recorded.jsonl"
    lines = [answer(timestamp=2_000, signal="SELL"), answer(timestamp=1_000), answer(timestamp=1_500, ticker="GLD")]
    file.write_text("\n".join(json.dumps(line) for line in lines) + "\n\n")
    now_ms = 999
    recorded = RecordedPredictionSource(file, lambda: now_ms)
    (none,) = [answer async for answer in recorded.answers(["CVNA"])]
    assert isinstance(none, PredictionProblem)
    now_ms = 1_999
    first, second = [answer async for answer in recorded.answers(["CVNA", "GLD"])]
    assert isinstance(first, Prediction)
    assert isinstance(second, Prediction)
    assert (first.signal, first.asked_ticker, second.timestamp_ms) == ("BUY", "CVNA", 1_500)
    now_ms = 2_000
    (newest,) = [answer async for answer in recorded.answers(["CVNA"])]
    assert isinstance(newest, Prediction)
    assert newest.signal == "SELL"
    await recorded.close()


def test_a_line_that_is_no_prediction_is_named(tmp_path: Path) -> None:
    file = tmp_path / "recorded.jsonl"
    file.write_text(json.dumps(answer()) + "\n{}\n")
    with pytest.raises(RecordedPredictionsUnreadable, match="line 2: unreadable answer: data is missing"):
        RecordedPredictionSource(file, lambda: 0)


def test_a_clock_that_is_set_back_does_not_keep_the_limit_spent() -> None:
    now = 1_741_786_140.0
    limit = RateLimit(lambda: now)
    limit.observe(429, {"X-RateLimit-Reset": "30"})
    now -= 3_600
    assert limit.wait_seconds == 0


async def test_a_gone_source_that_never_answers_for_its_first_ticker_is_found_to_be_back() -> None:
    is_back = False

    async def handler(request: web.Request) -> web.Response:
        ticker = request.query["ticker"]
        return success(ticker) if is_back and ticker != "CVNA" else web.Response(status=404)

    async with source(handler, gone_after_polls=1) as api:
        await api.poll(["CVNA", "UVXY", "SOXL"])
        is_back = True
        await api.poll(["CVNA", "UVXY", "SOXL"])
        assert api.circuit.is_open
        none, *others = await api.poll(["CVNA", "UVXY", "SOXL"])
        assert not api.circuit.is_open
    assert isinstance(none, PredictionProblem)
    assert [isinstance(one, Prediction) and one.ticker for one in others] == ["UVXY", "SOXL"]


@pytest.mark.parametrize("packed", [False, True])
async def test_an_endless_answer_is_not_read_to_its_end(packed: bool) -> None:
    megabyte = gzip.compress(b"0" * 1_000_000) if packed else b"0" * 1_000_000
    sent = 0

    async def handler(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse(headers={"Content-Encoding": "gzip"} if packed else {})
        await response.prepare(request)
        for _ in range(100 if packed else 10_000):
            await response.write(megabyte * (100 if packed else 1))
            sent += 1
        return response

    async with source(handler, timeout_seconds=30) as api:  # type: ignore[arg-type]  # it streams
        (found,) = await api.poll(["CVNA"])
    assert found == PredictionProblem("CVNA", "unreadable answer: over 1,000,000 bytes", answered=True)
    assert sent < 100


async def test_a_redirect_does_not_carry_the_key_elsewhere() -> None:
    keys: list[str | None] = []

    async def elsewhere(request: web.Request) -> web.Response:
        keys.append(request.headers.get("X-API-Key"))
        return success("CVNA")

    app = web.Application()
    app.router.add_get("/prediction/latest", elsewhere)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()

    async def handler(request: web.Request) -> web.Response:
        raise web.HTTPFound(f"http://127.0.0.1:{runner.addresses[0][1]}/prediction/latest")

    async with source(handler) as api:
        (found,) = await api.poll(["CVNA"])
    await runner.cleanup()
    assert not keys
    assert found == PredictionProblem("CVNA", "HTTP 302 Found", answered=False)
