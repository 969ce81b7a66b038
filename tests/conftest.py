"""What all tests share: where recorded data lies, and how hypothesis chooses."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings as hypothesis_settings

from config import load_settings

hypothesis_settings.register_profile("repeatable", max_examples=50, deadline=None, derandomize=True, print_blob=True)
hypothesis_settings.register_profile("search", deadline=None, max_examples=2000, print_blob=True)
hypothesis_settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))


@pytest.fixture(autouse=True, scope="session")
def _no_settings_from_outside() -> None:
    """A developer's own TRADER_* variables must not decide a test; the data folder is the one exception."""
    for name in [name for name in os.environ if name.startswith("TRADER_") and name != "TRADER_DATA_FOLDER"]:
        del os.environ[name]


@pytest.fixture(scope="session")
def recorded_data() -> Path:
    """The folder of recorded market data (TRADER_DATA_FOLDER). Without it: skip, or fail when CI=true."""
    folder = load_settings(env_file=Path("no .env in tests")).data_folder
    if not folder.is_dir():
        text = f"no recorded market data in {folder}; set TRADER_DATA_FOLDER"
        if os.environ.get("CI") == "true":
            pytest.fail(text)
        pytest.skip(text)
    return folder
