"""Replaying a wire log: what its clients asked is asked again of a gateway, and the answers are compared.

`python -m simulator.replay LOG --port P` talks to a gateway that runs (deterministic, same options and seed as the
logged one). A log of deterministic time replays exactly; one of running time as far as answers do not depend on time.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from simulator.server.wire_log import FROM_CLIENT, Line, read
from simulator.wire.framing import PREAMBLE, AnswerCutter, fields_of, frame, payload_of

ANSWER_SECONDS = 10.0
"""How long an answer of the log is waited for."""


@dataclass(frozen=True, slots=True)
class Difference:
    """The first message of a connection that is not the logged one; None: it did not come."""

    connection: int
    number: int
    logged: tuple[str, ...]
    came: tuple[str, ...] | None


@dataclass(slots=True)
class _Peer:
    """One connection of the log, opened again."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    cutter: AnswerCutter = field(default_factory=AnswerCutter)
    ready: list[tuple[str, ...]] = field(default_factory=list)
    answers: int = 0

    async def answer(self) -> tuple[str, ...] | None:
        """The next message; None when none comes."""
        while not self.ready:
            try:
                chunk = await asyncio.wait_for(self.reader.read(1 << 16), ANSWER_SECONDS)
            except (TimeoutError, ConnectionError):
                return None
            if not chunk:
                return None
            self.ready += [tuple(fields_of(payload)) for payload in self.cutter.feed(chunk)]
        self.answers += 1
        return self.ready.pop(0)


async def replay(lines: Iterable[Line], host: str, port: int) -> list[Difference]:
    """Send what the log's clients sent, in its order, each only after the answers that came before it; the differences.

    A connection that differs is not followed further; the first differences of all connections are returned.
    """
    peers: dict[int, _Peer] = {}
    differences: dict[int, Difference] = {}
    for line in lines:
        if line.connection in differences:
            continue
        peer = peers.get(line.connection)
        if line.direction == FROM_CLIENT:
            if peer is None:
                peer = peers[line.connection] = _Peer(*await asyncio.open_connection(host, port))
                peer.writer.write(PREAMBLE + frame("|".join(line.fields).encode()))
            else:
                peer.writer.write(frame(payload_of(line.fields)))
        elif peer is not None:
            came = await peer.answer()
            if came != line.fields:
                differences[line.connection] = Difference(line.connection, peer.answers, line.fields, came)
    for peer in peers.values():
        peer.writer.close()
    return list(differences.values())


def main(arguments: Sequence[str]) -> int:
    """0 when every answer was the logged one, 1 when not."""
    parser = argparse.ArgumentParser(prog="python -m simulator.replay", description=__doc__)
    parser.add_argument("log", type=Path)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=4002)
    given = parser.parse_args(arguments)
    differences = asyncio.run(replay(read(given.log), given.host, given.port))
    for each in differences:
        came = "nothing came" if each.came is None else "|".join(each.came)
        sys.stdout.write(f"connection {each.connection}, answer {each.number}\n  logged {'|'.join(each.logged)}\n")
        sys.stdout.write(f"  came   {came}\n")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
