"""Where predictions come from, and when they are asked for, by the settings."""

from __future__ import annotations

from config import Settings
from core.params import SessionPlan
from predictions import HttpPredictionSource, RecordedPredictionSource
from runtime.polling import Poller
from runtime.ports import Clock, PredictionSource


class NoPredictionSource(RuntimeError):
    """The settings name nothing to trade on."""


def must_have_a_source(settings: Settings) -> None:
    """Raises NoPredictionSource when the settings name neither the API nor a recorded file."""
    if settings.prediction_file is None and settings.prediction_url is None:
        raise NoPredictionSource("no predictions to trade on: set TRADER_PREDICTION_URL, or TRADER_PREDICTION_FILE")


def make_source(settings: Settings, clock: Clock) -> PredictionSource:
    """The API or the recorded file that the settings name. Raises NoPredictionSource when they name neither."""
    must_have_a_source(settings)
    if settings.prediction_file is not None:
        return RecordedPredictionSource(settings.prediction_file, clock.now_ms)
    assert settings.prediction_url is not None
    key = settings.prediction_api_key.get_secret_value() if settings.prediction_api_key else None
    return HttpPredictionSource(
        settings.prediction_url,
        key,
        settings.prediction_timeout_seconds,
        gone_after_polls=settings.prediction_gone_polls,
    )


def make_poller(settings: Settings, plan: SessionPlan, clock: Clock, was_gone: bool = False) -> Poller:
    """Poll from the open until entries end. `was_gone`: the session has told that the source is gone."""
    params = settings.params()
    return Poller(
        make_source(settings, clock),
        [ticker.ticker for ticker in params.tickers],
        every_seconds=settings.poll_seconds,
        first_ms=plan.open_ms,
        last_ms=plan.closure_ms - params.entry_deadline_before_closure_seconds * 1000,
        gone_after_polls=settings.prediction_gone_polls,
        was_gone=was_gone,
    )
