"""Figures that follow closed bars: streaming, O(1) per bar, plain state."""

from core.indicators.atr import Atr
from core.indicators.averages import Ema, Sma
from core.indicators.correlation import Returns, correlation_of
from core.indicators.indicator import Indicator
from core.indicators.oscillators import Macd, Rsi
from core.indicators.timeframes import AnyIndicator, MultiTimeframe, Resampler, Timeframe

__all__ = [
    "AnyIndicator",
    "Atr",
    "Ema",
    "Indicator",
    "Macd",
    "MultiTimeframe",
    "Resampler",
    "Returns",
    "Rsi",
    "Sma",
    "Timeframe",
    "correlation_of",
]
