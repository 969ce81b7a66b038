"""The prediction service: its contract over real HTTP, and that it looks at the past only."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date, datetime

import aiohttp
import pytest

from simulator.clock import eastern_ms, seconds_of_day
from simulator.market.profiles import PROFILES
from simulator.market.synthetic import SyntheticMarket
from simulator.predictions.score import CLOSES_NEEDED, predict
from simulator.predictions.service import PredictionService
from simulator.venue import Venue, VenueOptions

DAY = date(2024, 11, 27)
KEY = {"X-API-Key": "secret"}


def _venue(start: str = "10:00", seed: int = 1) -> Venue:
    market = SyntheticMarket(DAY, seed, {symbol: PROFILES[symbol] for symbol in ("CVNA", "SOXL")})
    return Venue(market, VenueOptions(eastern_ms(DAY, seconds_of_day(start)), seed=seed))


@pytest.fixture
async def served() -> AsyncIterator[tuple[Venue, PredictionService, str]]:
    venue = _venue()
    service = PredictionService(venue, api_key="secret", seed=1, requests_per_minute=20)
    port = await service.start("127.0.0.1", 0)
    yield venue, service, f"http://127.0.0.1:{port}/prediction/latest"
    await service.stop()


async def _get(url: str, headers: dict[str, str] | None = None) -> tuple[int, dict[str, str], dict[str, object]]:
    async with (
        aiohttp.ClientSession() as session,
        session.get(url, headers=KEY if headers is None else headers) as answer,
    ):
        return answer.status, dict(answer.headers), await answer.json()


async def test_success(served: tuple[Venue, PredictionService, str]) -> None:
    venue, _, url = served
    status, headers, body = await _get(f"{url}?ticker=CVNA")
    assert status == 200
    assert body["status"] == "success"
    data = body["data"]
    assert isinstance(data, dict)
    assert set(data) == {"ticker", "prediction", "model_info"}
    prediction = data["prediction"]
    assert set(prediction) == {
        *("ticker", "signal", "numeric", "confidence", "stock_price", "probabilities", "timestamp", "datetime"),
        *("datetime_of_data", "feature_values", "prediction_time"),
    }
    assert set(data["model_info"]) == {"model_path", "is_ticker_specific", "using_default_only"}
    assert prediction["signal"] in ("BUY", "SELL", "NEUTRAL")
    assert sum(prediction["probabilities"]) == pytest.approx(1, abs=1e-5)
    assert prediction["confidence"] == max(prediction["probabilities"])
    assert prediction["timestamp"] == venue.clock.now_ms
    assert datetime.fromisoformat(prediction["datetime"]).timestamp() * 1000 == venue.clock.now_ms
    assert headers["X-RateLimit-Limit"] == "20"
    assert headers["X-RateLimit-Remaining"] == "19"


async def test_failures(served: tuple[Venue, PredictionService, str]) -> None:
    _, service, url = served
    for query, headers, status, code in (
        ("?ticker=CVNA", {}, 401, "INVALID_API_KEY"),
        ("?ticker=CVNA", {"X-API-Key": "wrong"}, 401, "INVALID_API_KEY"),
        ("", KEY, 400, "MISSING_TICKER"),
        ("?ticker=NONE", KEY, 404, "TICKER_NOT_FOUND"),
    ):
        answer = await _get(url + query, headers)
        assert (answer[0], answer[2]["status"], answer[2]["code"]) == (status, "error", code)
        assert set(answer[2]) == {"status", "error", "code", "message"}
    service.fail_next(500, 2)
    service.fail_next(501)
    assert [(await _get(f"{url}?ticker=CVNA"))[0] for _ in range(4)] == [500, 500, 501, 200]
    with pytest.raises(ValueError, match="418"):
        service.fail_next(418)


async def test_the_limit_counts_simulated_minutes(served: tuple[Venue, PredictionService, str]) -> None:
    venue, _, url = served
    answers = [await _get(f"{url}?ticker=CVNA") for _ in range(21)]
    assert [answer[0] for answer in answers] == [200] * 20 + [429]
    headers = answers[-1][1]
    assert headers["X-RateLimit-Remaining"] == "0"
    assert int(headers["X-RateLimit-Reset"]) * 1000 == venue.clock.now_ms + 60_000
    venue.advance(venue.clock.now_ms + 60_000)
    assert (await _get(f"{url}?ticker=CVNA"))[0] == 200


async def test_too_little_data_is_501() -> None:
    service = PredictionService(_venue("04:05"), api_key=None, seed=1)
    port = await service.start("127.0.0.1", 0)
    status, _, body = await _get(f"http://127.0.0.1:{port}/prediction/latest?ticker=SOXL", {})
    await service.stop()
    assert (status, body["code"]) == (501, "NOT_ENOUGH_DATA")


def test_a_prediction_stays_for_its_minute_and_knows_only_the_past() -> None:
    early, late = _venue("10:00"), _venue("10:00")
    services = [PredictionService(venue, api_key=None, seed=1) for venue in (early, late)]
    late.advance(late.clock.now_ms + 59_000)
    for item in early.instruments():
        first, second = services[0].latest(item), services[1].latest(item)
        assert first == second
        assert first is not None
        assert first.data_ms <= first.moment_ms
    late.advance(late.clock.now_ms + 1_000)
    item = late.instruments()[0]
    assert services[1].latest(item) != services[0].latest(item)


def test_the_model_alone() -> None:
    flat = predict("AAA", [10.0] * CLOSES_NEEDED, 60_000, 60_000, 1)
    assert flat.features["z_10min"] == flat.features["push_1min"] == 0.0
    risen = [10.0 + index / 100 for index in range(CLOSES_NEEDED)]
    assert predict("AAA", risen, 60_000, 60_000, 1).features["z_10min"] > 1
    draws = [predict("AAA", risen, minute * 60_000, 0, 1) for minute in range(200)]
    assert sum(draw.signal == "SELL" for draw in draws) > sum(draw.signal == "BUY" for draw in draws)


@pytest.mark.parametrize("seed", range(1, 4))
def test_both_sides_come_often_enough(seed: int) -> None:
    venue = _venue("09:45", seed)
    service = PredictionService(venue, api_key=None, seed=seed)
    sides = {"BUY": 0, "SELL": 0}
    for _ in range(100):
        venue.advance(venue.clock.now_ms + 60_000)
        for item in venue.instruments():
            found = service.latest(item)
            assert found is not None
            if found.signal in sides and found.confidence >= 0.5:
                sides[found.signal] += 1
    assert min(sides.values()) > 8  # in 100 of the 360 minutes: some hundred signals a day
