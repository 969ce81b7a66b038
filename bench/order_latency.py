"""Trigger bytes in, order bytes out: a session with decision, risk and journal, beside calls of `IB.placeOrder`.

Run from the project's folder: `python -m bench.order_latency`. The programs run at once, take turns at the same trigger
over real sockets, and are timed here, from the trigger's write to the last order frame's arrival. The ratios are
comparable between machines, the times are not; a busy machine blurs both, less so with `--realtime`. `--check` fails
above the limits.

bracket: an entry with its three legs, four calls of `IB.placeOrder`. fill: a single order, after the report of a fill:
the stop is moved, or with the script sent. reversal: a single order too, the first of one, which moves the target; all
rules of an entry decide it, and it has no limit, for the script decides nothing (docs/adr/0010). undecided: what is
left of a session's ratio when the engine and the text of its row cost nothing.
"""

from __future__ import annotations

import argparse
import os
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

from bench.order_subjects import ACCOUNT, CLIENT_ID, CON_ID, ENTRY_ID, ENTRY_REF, PRICE, SHARES, TICKER, prediction

WARM_UP, TURN = 30, 25
KINDS = ("bare", "session", "floor")
FRAMES = {"bracket": 4, "fill": 1, "reversal": 1}
LIMITS = {("bracket", 50): 0.5, ("bracket", 99): 1.0, ("fill", 50): 1.0}
PLACE_ORDER = b"3\0"
MARKET_RULE = 26


class Subject:
    """One program: its process, its API connection, and the socket of its triggers."""

    def __init__(self, kind: str, legs: str, stack: ExitStack) -> None:
        api, triggers = (stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(2))
        ports = [str(server.getsockname()[1]) for server in (api, triggers)]
        self._kind, self._legs = kind, legs
        self.times: list[float] = []
        self._fired = 0
        command = [sys.executable, "-m", "bench.order_subjects", kind, legs, *ports]
        stack.enter_context(_running(command))
        self._api = stack.enter_context(_accept(api))
        self._held = b""
        self._log_in()
        self._triggers = stack.enter_context(_accept(triggers, self._answer_until))

    def fire(self) -> float:
        """One trigger; seconds until its last order frame is here."""
        self._await_ready()
        number = self._fired = self._fired + 1
        if self._legs == "fill":
            socket_of_trigger, trigger = self._api, _fill(number, self._entry_id())
        else:
            socket_of_trigger, trigger = self._triggers, prediction(number, is_bracket=self._legs == "bracket")
        begin = time.perf_counter()
        socket_of_trigger.sendall(trigger)
        seen = 0
        while seen < FRAMES[self._legs]:
            seen += self._payload().startswith(PLACE_ORDER)
        return time.perf_counter() - begin

    def _await_ready(self) -> None:
        heard = b""
        while not heard.endswith(b"ready\n"):
            heard += self._triggers.recv(64)

    def _entry_id(self) -> int:
        """The order that is about to fill: what the script sent to be ready, of a session always the same."""
        entry = b""
        while self._kind == "bare" and not (entry.startswith(PLACE_ORDER) and b"\0BUY\0" in entry):
            entry = self._payload()
        with suppress(BlockingIOError):
            while self._api.recv(65_536, socket.MSG_DONTWAIT):
                pass  # of the trigger before: the target follows the stop
        self._held = b""
        return int(entry.split(b"\0")[1]) if entry else ENTRY_ID

    def _payload(self) -> bytes:
        """The next message of the program."""
        while len(self._held) < 4 or len(self._held) < 4 + (size := struct.unpack(">I", self._held[:4])[0]):
            self._held += self._api.recv(65_536)
        payload, self._held = self._held[4 : 4 + size], self._held[4 + size :]
        return payload

    def _log_in(self) -> None:
        while not self._held.startswith(b"API\0") or len(self._held) < 9:
            self._held += self._api.recv(4_096)
        self._held = self._held[4:]
        self._api.sendall(_frame(178, "20250312 10:00:00 US/Eastern"))
        while not self._payload().startswith(b"71\0"):
            pass  # until it has said that it starts
        self._api.sendall(_frame(15, 1, ACCOUNT) + _frame(9, 1, 1))

    def _answer_until(self, server: socket.socket) -> socket.socket:
        """Answer the questions for contract, market rule and positions, until the program connects for its triggers."""
        server.settimeout(0.05)
        self._api.settimeout(0.05)
        while True:
            try:
                payload = self._payload()
                if payload.startswith(b"9\0"):
                    self._api.sendall(_contract(payload.split(b"\0")[2].decode()))
                elif payload.startswith(b"91\0"):
                    self._api.sendall(_frame(93, MARKET_RULE, 1, 0, 0.01))
                elif payload.startswith(b"61\0"):
                    self._api.sendall(_frame(62, 1))
            except TimeoutError:
                pass  # it asked nothing
            try:
                connection, _ = server.accept()
            except TimeoutError:
                continue
            self._api.settimeout(None)
            return connection


@contextmanager
def _running(command: list[str]) -> Iterator[None]:
    process = subprocess.Popen(command)
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def _accept(server: socket.socket, accept: object = None) -> socket.socket:
    connection = accept(server) if callable(accept) else server.accept()[0]
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def _frame(*fields: object) -> bytes:
    body = b"".join(str(field).encode() + b"\0" for field in fields)
    return struct.pack(">I", len(body)) + body


def _contract(request_id: str) -> bytes:
    """contractDetails at 178 (WIRE 5) and its end."""
    listed = [10, request_id, TICKER, "STK", "", 0, "", "SMART", "USD", TICKER, "NMS", "NMS", CON_ID, 0.01, ""]
    described = ["MKT,LMT,STP", "SMART,ARCA", 1, 0, TICKER, "ARCA", "", "", "", "", "US/Eastern", "", "", "", "", 0]
    ruled = [1, "", "", f"{MARKET_RULE},{MARKET_RULE}", "", "ETF", 0.0001, 0.0001, 100]
    return _frame(*listed, *described, *ruled) + _frame(52, 1, request_id)


def _fill(number: int, entry_id: int) -> bytes:
    """execDetails at 178 (WIRE 5): the entry has filled, two cents above the price of its decision."""
    contract = [CON_ID, TICKER, "STK", "", 0, "", "", "SMART", "USD", TICKER, "NMS"]
    fill = [
        f"0000e0d5.{number:08x}.01.01",
        "20250312 10:00:00 US/Eastern",
        ACCOUNT,
        "ARCA",
        "BOT",
        SHARES,
        PRICE + 0.02,
    ]
    return _frame(
        11, -1, entry_id, *contract, *fill, 1, CLIENT_ID, 0, SHARES, PRICE + 0.02, ENTRY_REF, "", "", "", 1, 0
    )


def measure(legs: str, count: int) -> dict[str, list[float]]:
    """Microseconds of `count` triggers each, in turns."""
    with ExitStack() as stack:
        subjects = {kind: Subject(kind, legs, stack) for kind in KINDS}
        for subject in subjects.values():
            for _ in range(WARM_UP):
                subject.fire()
        while len(subjects["session"].times) < count:
            for subject in subjects.values():
                subject.times += [subject.fire() * 1e6 for _ in range(TURN)]
        return {kind: sorted(subject.times) for kind, subject in subjects.items()}


def percentile(ordered: list[float], percent: int) -> float:
    """The value that so many percent do not exceed."""
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]


def main() -> int:
    """Print the table; 1 when `--check` finds a ratio above its limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1_000, help="triggers for each program and size")
    parser.add_argument("--check", action="store_true", help="fail above the limits")
    parser.add_argument("--realtime", action="store_true", help="run ahead of all else on the machine (needs root)")
    options = parser.parse_args()
    if options.realtime:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(20))  # the programs that it starts inherit it
    exceeded = 0
    for legs in FRAMES:
        times = measure(legs, options.count)
        for percent in (50, 99):
            bare, session, floor = (percentile(times[kind], percent) for kind in KINDS)
            limit = LIMITS.get((legs, percent))
            mark = "" if limit is None else f"   limit {limit:.1f}"
            exceeded += limit is not None and session / bare > limit
            row = f"{legs:8} p{percent}   IB.placeOrder {bare:7.0f} us   session {session:7.0f} us"
            sys.stdout.write(f"{row}   ratio {session / bare:5.2f}{mark}   undecided {floor / bare:5.2f}\n")
    return 1 if options.check and exceeded else 0


if __name__ == "__main__":
    sys.exit(main())
