"""Opening a connection, and saying in words why it can't be opened."""

from __future__ import annotations

import asyncio
import socket
from typing import Any, Final

from broker.errors import BrokerUnavailable, Unavailability

USUAL_PORTS: Final = {7496: "TWS, live", 7497: "TWS, paper", 4001: "IB Gateway, live", 4002: "IB Gateway, paper"}


async def open_connection(client: Any, host: str, port: int, client_id: int, refused: asyncio.Future[BrokerUnavailable],
                          timeout_seconds: float) -> None:  # fmt: skip
    """Connect until logged in. Raises BrokerUnavailable; `refused` is set by callbacks that know why (326, closed)."""
    opening = asyncio.ensure_future(client.connectAsync(host, port, client_id, 0))
    try:
        async with asyncio.timeout(timeout_seconds):
            await asyncio.wait({opening, refused}, return_when=asyncio.FIRST_COMPLETED)
        if refused.done():
            raise refused.result()
        await opening
    except TimeoutError:
        raise _silence(client, host, port, timeout_seconds) from None
    except OSError as error:
        raise _no_socket(error, host, port) from error
    finally:
        if not opening.done():
            opening.cancel()
            await asyncio.gather(opening, return_exceptions=True)
    _no_delay(client)


def account_must_be(client: Any, account: str) -> None:
    """Raises BrokerUnavailable when the login does not serve this account."""
    accounts = client.getAccounts()
    if account in accounts:
        return
    served = ", ".join(accounts)
    if is_paper(account) != any(is_paper(name) for name in accounts):
        wanted, found = ("paper", "live") if is_paper(account) else ("live", "paper")
        raise BrokerUnavailable(
            Unavailability.WRONG_MODE,
            f"{account} is a {wanted} account, but a {found} login answers here ({served}): wrong port or login",
        )
    words = f"account {account} is not served by this login: it serves {served}"
    raise BrokerUnavailable(Unavailability.WRONG_ACCOUNT, words)


def is_paper(account: str) -> bool:
    """Paper accounts begin with D (DU, DF)."""
    return account.startswith("D")


def client_id_taken(client_id: int, text: str) -> BrokerUnavailable:
    """What a 326 means."""
    return BrokerUnavailable(
        Unavailability.CLIENT_ID_TAKEN,
        f"client id {client_id} is in use by a connection that may own live orders: it must end first (326: {text})",
    )


def closed_early(client: Any, client_id: int) -> BrokerUnavailable:
    """The gateway hung up before we were logged in, or the client would not talk to a version so old."""
    version, oldest = client.serverVersion(), client.MinClientVersion
    if 0 < version < oldest:
        words = f"the gateway speaks version {version} of the API, {oldest} or newer is needed: update it"
        return BrokerUnavailable(Unavailability.TOO_OLD, words)
    return BrokerUnavailable(
        Unavailability.NOT_LOGGED_IN,
        f"the gateway hung up at once: not logged in, our address not trusted, or client id {client_id} in use",
    )


def _silence(client: Any, host: str, port: int, timeout_seconds: float) -> BrokerUnavailable:
    waited = f"in {timeout_seconds:g} s"
    if client.serverVersion():
        return BrokerUnavailable(
            Unavailability.NOT_LOGGED_IN, f"the gateway on {host}:{port} names no account {waited}: log it in"
        )
    if client.conn.isConnected():
        return BrokerUnavailable(
            Unavailability.SILENT,
            f"{host}:{port} accepts us, but says nothing {waited}: starting, or frozen",
        )
    return BrokerUnavailable(Unavailability.DOWN, f"{host}:{port} does not answer {waited}: wrong host, or a firewall")


def _no_socket(error: OSError, host: str, port: int) -> BrokerUnavailable:
    usual = USUAL_PORTS.get(port, "none of the usual ports " + ", ".join(map(str, USUAL_PORTS)))
    return BrokerUnavailable(
        Unavailability.DOWN, f"no gateway on {host}:{port} ({usual}): start it, or enable its API socket ({error})"
    )


def _no_delay(client: Any) -> None:
    """Without it a small write waits up to 40 ms for the acknowledgement of the one before."""
    client.conn.transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
