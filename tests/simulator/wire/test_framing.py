"""Cutting frames out of any stream, and the limits that end a connection."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.wire import versions
from simulator.wire.framing import (
    FRAME_BYTES_MAX,
    OFFER_BYTES_MAX,
    PREAMBLE,
    FrameCutter,
    FramingError,
    fields_of,
    frame,
    message,
    payload_of,
)

OFFER = b"v157..178"


@given(payloads=st.lists(st.binary(max_size=300), max_size=8), cuts=st.lists(st.integers(0, 3000), max_size=12))
def test_any_cut_of_the_stream_gives_the_same_frames(payloads: list[bytes], cuts: list[int]) -> None:
    stream = PREAMBLE + frame(OFFER) + b"".join(frame(payload) for payload in payloads)
    places = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    cutter = FrameCutter()
    found = [payload for start, end in pairwise(places) for payload in cutter.feed(stream[start:end])]
    assert found == [OFFER, *payloads]


@pytest.mark.parametrize("first", [b"GET / HTTP/1.1", b"\x16\x03\x01", b"APIx", b"\0\0\0\0"])
def test_a_stranger_is_told_apart_by_its_first_bytes(first: bytes) -> None:
    with pytest.raises(FramingError, match="first bytes"):
        list(FrameCutter().feed(first))


def test_a_huge_length_ends_the_stream_before_anything_is_kept() -> None:
    cutter = FrameCutter()
    list(cutter.feed(PREAMBLE + frame(OFFER)))
    with pytest.raises(FramingError, match=str(FRAME_BYTES_MAX)):
        list(cutter.feed(b"\xff\xff\xff\xff"))


def test_the_offer_must_be_short() -> None:
    with pytest.raises(FramingError, match=str(OFFER_BYTES_MAX)):
        list(FrameCutter().feed(PREAMBLE + frame(b"v" * (OFFER_BYTES_MAX + 1))))


def test_too_many_fields_are_refused() -> None:
    with pytest.raises(FramingError, match="fields"):
        fields_of(b"\0" * 20_001)


def test_text_after_the_last_nul_is_a_field_of_its_own() -> None:
    assert fields_of(b"1\x002\x003") == ["1", "2", "3"]
    assert fields_of(payload_of(["1", "", "3"])) == ["1", "", "3"]
    assert message(["9", "1", "5"]) == b"\0\0\0\x069\x001\x005\x00"


@pytest.mark.parametrize(
    ("offer", "version"),
    [
        ("v157..178", 178),
        ("v157..178 +PACEAPI", 178),
        ("v157..176", 176),
        ("v100..157", 157),
        ("v100..225", 178),
        ("v100..193", 178),
        ("v163", 163),
    ],
)
def test_the_chosen_version_is_the_highest_that_both_speak(offer: str, version: int) -> None:
    assert versions.negotiate(offer) == version


@pytest.mark.parametrize("offer", ["v100..156", "v179..200", "v1..", "hello", "", "v99999..100000", "v178..157"])
def test_offers_that_cannot_be_met_are_refused(offer: str) -> None:
    with pytest.raises(versions.HandshakeError):
        versions.negotiate(offer)
