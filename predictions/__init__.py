"""Where predictions come from: the HTTP API, or a recorded file. Parsed here, judged in the core."""

from predictions.http import HttpPredictionSource
from predictions.recorded import RecordedPredictionSource

__all__ = ["HttpPredictionSource", "RecordedPredictionSource"]
