"""Frames that real servers sent, from the folder of recorded data, and orders built to match them."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from simulator.model import Instrument, Order, OrderRequest


def frames(folder: Path, message_id: int, version: int) -> list[list[str]]:
    """The recorded fields of every frame with this message id at this server version."""
    lines = (folder / "wire" / "recorded.tsv").read_text(encoding="utf-8").splitlines()
    split = [line.split("\t") for line in lines]
    found = [text.split("|") for at, text in split if int(at) == version and text.startswith(f"{message_id}|")]
    assert found, f"no recorded frame {message_id} at {version}"
    return found


def apple() -> Instrument:
    """The contract of most recordings."""
    return Instrument(
        265598, "AAPL", "NASDAQ", "APPLE INC", "COMMON", industry="Technology", category="Computers",
        subcategory="Computers", isin="US0378331005",
    )  # fmt: skip


def order(instrument: Instrument, **values: object) -> Order:
    """A plain market order for 100, with changes: fields of the Order, and of its request as `request_...`."""
    asked = {name.removeprefix("request_"): value for name, value in values.items() if name.startswith("request_")}
    held = {name: value for name, value in values.items() if not name.startswith("request_")}
    shape = {"order_id": 5, "action": "BUY", "quantity": Decimal(100), "order_type": "MKT", **asked}
    request = OrderRequest(instrument=instrument, **shape)
    basis = {"perm_id": 600745656, "client_id": 100, "order_id": 5, "quantity": 100, "oca_group": "", "oca_type": 3}
    return Order(request=request, instrument=instrument, tif="DAY", **{**basis, **held})
