"""The prediction API over HTTP: `GET /prediction/latest?ticker=CVNA` with the header `X-API-Key`.

Success: `{"status": "success", "data": {...}}`; failure: `{"status": "error", "error", "code", "message"}` with 400,
401, 404, 429, 500 or 501.  Every answer bears the X-RateLimit headers.  Time is the venue's clock.
"""

from __future__ import annotations

from datetime import UTC, datetime

from aiohttp import web

from simulator.model import Instrument, dollars
from simulator.predictions.score import CLOSES_NEEDED, STEP_MS, Prediction, predict
from simulator.venue import Venue

_BAR_SECONDS = 10
_WINDOW_MS = 60_000
_ERRORS = {
    400: ("Bad Request", "MISSING_TICKER"),
    401: ("Unauthorized", "INVALID_API_KEY"),
    404: ("Not Found", "TICKER_NOT_FOUND"),
    429: ("Too Many Requests", "RATE_LIMIT_EXCEEDED"),
    500: ("Internal Server Error", "INTERNAL_ERROR"),
    501: ("Not Implemented", "NOT_ENOUGH_DATA"),
}


class PredictionService:
    """One HTTP server. `api_key` None asks for no key; `requests_per_minute` counts simulated minutes."""

    def __init__(self, venue: Venue, *, api_key: str | None, seed: int, requests_per_minute: int = 120) -> None:
        self._venue = venue
        self._api_key = api_key
        self._seed = seed
        self._limit = requests_per_minute
        self._window = -1
        self._used = 0
        self._planned: list[int] = []
        self._runner: web.AppRunner | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen; returns the port (the one chosen when 0 was asked for). OSError when it is taken."""
        app = web.Application()
        app.router.add_get("/prediction/latest", self._latest)
        app.router.add_get("/health", self._health)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await runner.setup()
        await web.TCPSite(runner, host, port).start()
        self._runner = runner
        return int(runner.addresses[0][1])

    async def stop(self) -> None:
        """Stop listening; a second call does nothing."""
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    def fail_next(self, status: int, count: int = 1) -> None:
        """A fault: answer the next `count` requests with this failure. ValueError for one that the contract lacks."""
        if status not in _ERRORS:
            raise ValueError(f"status {status}: allowed are {', '.join(map(str, _ERRORS))}")
        self._planned += [status] * count

    def latest(self, instrument: Instrument) -> Prediction | None:
        """The prediction of the present simulated minute; None when there is too little data."""
        moment_ms = self._venue.clock.now_ms // STEP_MS * STEP_MS
        seconds = CLOSES_NEEDED * _BAR_SECONDS
        bars = self._venue.history(instrument, moment_ms, seconds, _BAR_SECONDS, "TRADES", use_rth=False)
        if len(bars) < CLOSES_NEEDED:
            return None
        closes = [dollars(bar.close) for bar in bars]
        return predict(instrument.symbol, closes, moment_ms, bars[-1].end_ms, self._seed)

    async def _health(self, request: web.Request) -> web.Response:
        return web.json_response({"status": "success", "data": {"datetime": _iso(self._venue.clock.now_ms)}})

    async def _latest(self, request: web.Request) -> web.Response:
        headers = self._count_request()
        if self._planned:
            return _failure(self._planned.pop(0), "a planned failure", headers)
        if self._api_key is not None and request.headers.get("X-API-Key") != self._api_key:
            return _failure(401, "the X-API-Key header is missing or wrong", headers)
        if self._used > self._limit:
            return _failure(429, f"more than {self._limit} requests in a minute", headers)
        ticker = request.query.get("ticker", "")
        if not ticker:
            return _failure(400, "the ticker parameter is missing", headers)
        instrument = self._venue.find(symbol=ticker)
        if instrument is None:
            return _failure(404, f"no model for ticker {ticker!r}", headers)
        prediction = self.latest(instrument)
        if prediction is None:
            return _failure(501, f"not enough data for {ticker!r} yet", headers)
        body = {"status": "success", "data": _body(instrument.symbol, prediction, self._venue.clock.now_ms)}
        return web.json_response(body, headers=headers)

    def _count_request(self) -> dict[str, str]:
        """Count a request in the present simulated minute; the headers that tell of it."""
        window = self._venue.clock.now_ms // _WINDOW_MS
        if window != self._window:
            self._window, self._used = window, 0
        self._used += 1
        return {
            "X-RateLimit-Limit": str(self._limit),
            "X-RateLimit-Remaining": str(max(0, self._limit - self._used)),
            "X-RateLimit-Reset": str((window + 1) * _WINDOW_MS // 1000),
        }


def _failure(status: int, message: str, headers: dict[str, str]) -> web.Response:
    error, code = _ERRORS[status]
    body = {"status": "error", "error": error, "code": code, "message": message}
    return web.json_response(body, status=status, headers=headers)


def _body(symbol: str, prediction: Prediction, now_ms: int) -> dict[str, object]:
    return {
        "ticker": symbol,
        "prediction": {
            "ticker": symbol,
            "signal": prediction.signal,
            "numeric": prediction.numeric,
            "confidence": prediction.confidence,
            "stock_price": prediction.price,
            "probabilities": list(prediction.probabilities),
            "timestamp": prediction.moment_ms,
            "datetime": _iso(prediction.moment_ms),
            "datetime_of_data": _iso(prediction.data_ms),
            "feature_values": prediction.features,
            "prediction_time": _iso(now_ms),
        },
        "model_info": {
            "model_path": "simulator/predictions/score.py",
            "is_ticker_specific": False,
            "using_default_only": True,
        },
    }


def _iso(moment_ms: int) -> str:
    return datetime.fromtimestamp(moment_ms / 1000, UTC).isoformat()
