"""Every setting reaches something: a limit that is defined and never read protects nobody."""

from __future__ import annotations

import dataclasses
import re

from config import Settings
from core.params import Params, RiskLimits, TickerParams
from tests.tidy.sources import product_sources, report

BY_CONFIG = {"table", "pairs", "allocation", "quantity", "size", "trading_file"}  # config/ turns them into parameters
BY_TESTS = {"data_folder"}
PARAMETERS = {field.name for kind in (Params, RiskLimits, TickerParams) for field in dataclasses.fields(kind)}


def _read_in(names: set[str], folders: tuple[str, ...]) -> set[str]:
    text = "\n".join(
        source.text
        for source in product_sources()
        if source.path.startswith(folders) and source.path != "core/params.py"
    )
    return {name for name in names if re.search(rf"\.{name}\b", text)}


def test_every_parameter_is_read_by_the_rules() -> None:
    report(sorted(PARAMETERS - _read_in(PARAMETERS, ("core/",))))


def test_every_other_setting_is_read_by_the_shell() -> None:
    others = set(Settings.model_fields) - PARAMETERS - BY_CONFIG - BY_TESTS
    floors = ("cli/", "flows/", "tasks/", "runtime/", "broker/", "predictions/", "db/")
    report(sorted(others - _read_in(others, floors)))
