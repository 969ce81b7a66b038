"""What the simulated gateway carries: TWS's own limits at 60 times real time, and a deterministic day.

    python -m bench.gateway_load load [--clients 32] [--subscriptions 100] [--speed 60] [--seconds 20]
    python -m bench.gateway_load day [--market lean:DIR --date YYYY-MM-DD]

`load`: clients and subscriptions spread over the eight tickers; reports whether simulated time fell behind the wall
clock, messages a second and the gateway's memory. `day`: one client with eight tickers (quotes and 5-s bars) from 09:29
to 16:00; reports the wall time and the CPU time of the gateway. Both run the gateway as a process of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from simulator.wire.framing import AnswerCutter, message

ROOT = Path(__file__).resolve().parent.parent
OFFER = b"v157..178"
DAY_SECONDS = 6 * 3600 + 31 * 60


@contextmanager
def gateway(*options: str) -> Iterator[dict[str, Any]]:
    """A gateway process on free ports; what it says in its ready file."""
    with tempfile.TemporaryDirectory() as folder:
        ready = Path(folder) / "ready.json"
        command = [sys.executable, "-m", "simulator", "--port", "0", "--control-port", "0", "--ready-file", str(ready)]
        process = subprocess.Popen([*command, *options], cwd=ROOT)
        try:
            while not ready.exists():
                if process.poll() is not None:
                    raise SystemExit("the gateway did not start")
                time.sleep(0.02)
            yield json.loads(ready.read_text(encoding="utf-8"))
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(10)


def memory_mb(pid: int) -> float:
    """The most memory that a process has used, in MB (Linux)."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    return float("nan")


def cpu_seconds(pid: int) -> float:
    """User and system time of a process (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def request(*fields: object) -> bytes:
    """One frame."""
    return message([str(field) for field in fields])


def contract(symbol: str) -> list[object]:
    """A US stock."""
    return [0, symbol, "STK", "", 0.0, "", "", "SMART", "", "USD", "", ""]


class Client:
    """Reads as fast as it can and counts."""

    def __init__(self) -> None:
        self.messages = 0
        self._cutter = AnswerCutter()
        self._task: asyncio.Task[None] | None = None

    async def start(self, port: int, client_id: int, symbols: Sequence[str]) -> None:
        """Connect, start, and subscribe to quotes and bars in turn."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        self._writer = writer  # dropped, it would close the socket
        writer.write(b"API\0" + struct.pack(">I", len(OFFER)) + OFFER)
        await reader.read(4096)
        writer.write(request(71, 2, client_id, ""))
        for number, symbol in enumerate(symbols):
            if number % 2:
                writer.write(request(50, 3, number, *contract(symbol), 5, "TRADES", 0, ""))
            else:
                writer.write(request(1, 11, number, *contract(symbol), 0, "", 0, 0, ""))
        self._task = asyncio.get_running_loop().create_task(self._read(reader))

    async def _read(self, reader: asyncio.StreamReader) -> None:
        while chunk := await reader.read(1 << 16):
            self.messages += sum(1 for _ in self._cutter.feed(chunk))


async def ask_state(port: int) -> dict[str, Any]:
    """The gateway's own view."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b'{"ask": "state"}\n')
    state: dict[str, Any] = json.loads(await reader.readline())
    writer.close()
    return state


async def load(ready: dict[str, Any], clients: int, subscriptions: int, seconds: float, speed: float) -> bool:
    """Run for so many seconds of the wall clock; whether time kept up."""
    tickers = ready["tickers"]
    crowd = [Client() for _ in range(clients)]
    for client_id, client in enumerate(crowd):
        mine = [tickers[(client_id + number) % len(tickers)] for number in range(client_id, subscriptions, clients)]
        await client.start(ready["port"], client_id, mine)
    before, wall = await ask_state(ready["control_port"]), time.monotonic()
    cpu = cpu_seconds(ready["pid"])
    await asyncio.sleep(seconds)
    after, passed = await ask_state(ready["control_port"]), time.monotonic() - wall
    simulated = (after["now_ms"] - before["now_ms"]) / 1000
    print(f"{clients} clients, {subscriptions} subscriptions, {speed:g} times real time, {passed:.1f} s")
    behind = f"at most {after['lag_seconds_max']:.0f} behind"
    print(f"  simulated seconds   {simulated:.0f} of {passed * speed:.0f} due; {behind}")
    print(f"  messages a second   {(after['messages_sent'] - before['messages_sent']) / passed:,.0f} sent")
    print(f"  received            {sum(client.messages for client in crowd):,} by {len(after['clients'])} clients")
    print(f"  gateway CPU         {(cpu_seconds(ready['pid']) - cpu) / passed:.0%} of one core")
    print(f"  gateway memory      {memory_mb(ready['pid']):.0f} MB")
    return simulated >= passed * speed - 2 * speed


def day(ready: dict[str, Any]) -> None:
    """One barrier client through the whole day, on a plain blocking socket: as little of its own cost as possible."""
    import socket

    peer = socket.create_connection(("127.0.0.1", ready["port"]))
    peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    peer.sendall(b"API\0" + struct.pack(">I", len(OFFER)) + OFFER)
    peer.recv(4096)
    started = [request(71, 2, 1, "")]
    for number, symbol in enumerate(ready["tickers"]):
        started.append(request(1, 11, 100 + number, *contract(symbol), 0, "", 0, 0, ""))
        started.append(request(50, 3, 200 + number, *contract(symbol), 5, "TRADES", 1, ""))
    peer.sendall(b"".join(started))
    tick, received = request(49, 1), 0
    wall, cpu = time.monotonic(), cpu_seconds(ready["pid"])
    for _ in range(DAY_SECONDS):
        peer.sendall(tick)
        tail = b""
        while not (tail[-20:-16] == b"\0\0\0\x10" and tail[-16:-13] == b"49\0"):
            chunk = peer.recv(1 << 18)
            received += len(chunk)
            tail = (tail + chunk)[-64:]
    print(f"deterministic day, {len(ready['tickers'])} tickers: {time.monotonic() - wall:.1f} s of wall clock")
    print(f"  gateway CPU         {cpu_seconds(ready['pid']) - cpu:.1f} s")
    print(f"  bytes received      {received / 1e6:.1f} MB")
    print(f"  gateway memory      {memory_mb(ready['pid']):.0f} MB")
    peer.close()


def main() -> int:
    """0 when the gateway kept up."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("load", "day"))
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--subscriptions", type=int, default=100)
    parser.add_argument("--speed", type=float, default=60.0)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--market", default="synthetic")
    parser.add_argument("--date")
    given = parser.parse_args()
    options = ["--market", given.market, *(["--date", given.date] if given.date else [])]
    if given.what == "day":
        with gateway(*options, "--deterministic") as ready:
            day(ready)
        return 0
    with gateway(*options, "--speed", str(given.speed), "--start", "09:30") as ready:
        kept_up = asyncio.run(load(ready, given.clients, given.subscriptions, given.seconds, given.speed))
    print("kept up" if kept_up else "FELL BEHIND")
    return 0 if kept_up else 1


if __name__ == "__main__":
    sys.exit(main())
