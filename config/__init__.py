"""Settings: typed, frozen, read once from the environment, `.env` and trading.yaml, and passed down as values."""

from config.fields import ClockKind, Mode
from config.load import load_settings
from config.problems import Problem, SettingsError
from config.settings import Settings

__all__ = ["ClockKind", "Mode", "Problem", "Settings", "SettingsError", "load_settings"]
