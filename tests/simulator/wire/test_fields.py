"""Values as text, both ways: all spellings of unset, and texts that no number may come out of."""

from __future__ import annotations

import math
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.wire import fields
from simulator.wire.fields import FieldError, FieldReader
from simulator.wire.times import TimeTextError, moment_text, parse_moment, utc_text

UNSET = ["", "1.7976931348623157e+308", "2147483647", "9223372036854775807", "170141183460469231731687303715884105727"]


@pytest.mark.parametrize("spelling", UNSET)
def test_every_spelling_of_unset_is_unset(spelling: str) -> None:
    assert fields.integer_of("x", spelling) is None
    assert fields.number_of("x", spelling) is None
    assert fields.decimal_of("x", spelling) is None
    assert fields.flag_of("x", spelling) is False


@pytest.mark.parametrize(("text", "value"), [("10", 10), ("10.0", 10), ("1E+1", 10), ("-3", -3), ("0", 0)])
def test_whole_numbers_in_all_their_spellings(text: str, value: int) -> None:
    assert fields.integer_of("x", text) == value


@pytest.mark.parametrize("text", ["1.5", "ten", "1e999", "nan", "inf", "1_000", "٣", " 1", "--1", "9" * 25, "1" * 80])
def test_what_is_not_a_whole_number_names_the_field(text: str) -> None:
    with pytest.raises(FieldError, match="totalQuantity"):
        fields.integer_of("totalQuantity", text)


def test_infinite_is_the_word_for_infinity() -> None:
    assert fields.number_of("x", "Infinite") == math.inf
    with pytest.raises(FieldError):
        fields.number_of("x", "inf")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (196.52, "196.52"),
        (0, "0.0"),
        (None, "1.7976931348623157E308"),
        (1e-7, "0.0000001"),
        (1e22, "1" + "0" * 22 + ".0"),
    ],
)
def test_prices_have_a_point_and_no_exponent(value: float | None, text: str) -> None:
    assert fields.price(value) == text


@given(st.decimals(min_value=-(10**9), max_value=10**9, places=4))
def test_a_price_reads_back_as_what_it_was(value: Decimal) -> None:
    assert Decimal(fields.price(value)) == value
    assert Decimal(fields.price(float(value))) == Decimal(repr(float(value)))


def test_sizes_are_whole_without_a_point() -> None:
    assert [fields.size(value) for value in (100, 100.0, Decimal("0.5"))] == ["100", "100", "0.5"]


@given(st.text())
def test_texts_survive_the_clients_unescaping(value: str) -> None:
    written = fields.text(value)
    assert written.isascii()
    assert "\0" not in written
    read_back = written.encode().decode("unicode-escape")
    assert read_back.encode("utf-16", "surrogatepass").decode("utf-16", "replace") == value.encode(
        "utf-16", "surrogatepass"
    ).decode("utf-16", "replace")


def test_a_list_cannot_be_longer_than_its_request() -> None:
    reader = FieldReader(["1000000000", "a", "b"])
    with pytest.raises(FieldError, match="announced"):
        reader.count("comboLegs", 8)


def test_a_request_that_ends_early_names_the_field() -> None:
    reader = FieldReader(["1"])
    assert reader.integer("reqId") == 1
    with pytest.raises(FieldError, match="account"):
        reader.text("account")


@pytest.mark.parametrize(
    "text",
    [
        "20260402 09:30:00 US/Eastern",
        "20260402 09:30:00",
        "20260402  09:30:00",
        "20260402-13:30:00",
        "20260402 13:30:00 UTC",
    ],
)
def test_all_spellings_of_a_moment(text: str) -> None:
    assert parse_moment(text) == 1_775_136_600_000


@pytest.mark.parametrize(
    "text", ["2026-04-02", "20260402", "20261302 09:30:00", "20260402 09:30:00 Mars/Base", "x", "../../etc"]
)
def test_bad_moments_are_refused(text: str) -> None:
    with pytest.raises(TimeTextError):
        parse_moment(text)


def test_moments_bear_a_zone_from_174_on() -> None:
    assert moment_text(1_775_136_600_000, 174) == "20260402 09:30:00 US/Eastern"
    assert moment_text(1_775_136_600_000, 173) == "20260402  09:30:00"
    assert utc_text(1_775_136_600_000) == "20260402-13:30:00"
