"""The broker of runtime/ports: one connection to TWS or IB Gateway, put together from its parts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Any, Final

from ib_async.client import Client

from broker.account import Account
from broker.boundary import Boundary
from broker.connection import account_must_be, client_id_taken, closed_early, open_connection
from broker.contracts import Contracts
from broker.decoding import LoudDecoder
from broker.encoder import OrderEncoder
from broker.entitlement import Entitlements
from broker.errors import BrokerUnavailable, ContractUnknown, RequestTimedOut, Unavailability
from broker.executions import Executions
from broker.history import History
from broker.history_budget import HistoryBudget, LocalHistoryBudget
from broker.link import NO_CONTRACTS, LinkHealth
from broker.market_data import MarketData
from broker.notices import Notices
from broker.orders import Orders
from broker.pacing import MessageQueue
from broker.read_back import ReadBack
from broker.requests import Requests
from broker.reset_window import with_window
from broker.times import Clock
from broker.what_if import WhatIf, WhatIfs
from broker.wrapper import Wrapper
from core.commands import CancelEverything, CancelOrder, Commands, ModifyOrder, PlaceBracket, PlaceOrders
from core.events import AccountRead, Event
from core.market import Bar, Instrument

CONNECT_SECONDS: Final = 10.0
REQUEST_SECONDS: Final = 15.0
HEARTBEAT_SECONDS: Final = 9.0
"""With a heartbeat every 5 s a silent link counts as lost within 15 s (CASES 10)."""
PUMP_SECONDS: Final = 0.01


class IbBroker:
    """Writes commands, emits what it hears, asks questions. See runtime.ports.Broker for the contract of each method.

    `emit` takes every event in the order of the wire. `on_batch` is called after each decoded chunk of socket data.
    `on_failure` receives every exception from a message or callback. `deterministic`: the clock moves only with the
    answers of `read_time_ms`, and nothing else asks for the time. `check_fence` raises once another process has taken
    the session over: it is called before each write of an order and at each heartbeat.
    """

    def __init__(
        self,
        host: str,
        port: int,
        client_id: int,
        account: str,
        emit: Callable[[Event], None],
        clock: Clock,
        on_batch: Callable[[], None],
        on_failure: Callable[[BaseException], None],
        deterministic: bool,
        *,
        gateway_zone: str = "US/Eastern",
        history_budget: HistoryBudget | None = None,
        check_fence: Callable[[], None] = lambda: None,
        connect_seconds: float = CONNECT_SECONDS,
        request_seconds: float = REQUEST_SECONDS,
        heartbeat_seconds: float = HEARTBEAT_SECONDS,
    ) -> None:
        self._host, self._port, self._client_id, self._account_id = host, port, client_id, account
        self._on_batch, self._on_failure, self._check_fence = on_batch, on_failure, check_fence
        self._boundary = Boundary(on_failure)
        self._deterministic = deterministic
        self._clock = clock
        self._gateway_zone = gateway_zone
        self._connect_seconds, self._heartbeat_seconds = connect_seconds, heartbeat_seconds
        self._queue = MessageQueue(clock, self._pump_later, check_fence)
        self._requests = requests = Requests(self._queue, request_seconds, waits_for_room=not deterministic)
        self._contracts = contracts = Contracts(requests, gateway_zone)
        self._what_ifs = WhatIfs(requests)
        self._entitlements = Entitlements(contracts, requests)
        self._link = LinkHealth(
            emit, clock.now_ms, lambda: self._market_data.resubscribe(), lambda: self._market_data.forget_told()
        )
        self._orders = Orders(client_id, account, contracts, self._queue, self._what_ifs, emit, clock.now_ms)
        self._executions = Executions(account, contracts, self._orders, emit, clock.now_ms)
        self._account = Account(account, contracts, requests, emit, clock.now_ms)
        self._market_data = MarketData(contracts, requests, self._queue, self._link, emit, clock.now_ms)
        self._history = History(
            contracts, requests, history_budget or LocalHistoryBudget(), clock, gateway_zone, self._connected
        )
        self._read_back = ReadBack(
            self._orders, self._executions, self._account, requests, emit, clock.now_ms, self._connected_to_ib
        )
        self._notices = Notices(
            link=self._link,
            requests=requests,
            market_data=self._market_data,
            read_back=self._read_back,
            orders=self._orders,
            contracts=contracts,
            on_id_taken=lambda text: self._refuse(client_id_taken(client_id, text)),
        )
        self._client: Any = None  # ib_async's methods carry no types
        self._opening: tuple[Any, asyncio.Future[BrokerUnavailable]] | None = None
        self._time: asyncio.Future[int] | None = None
        self._pump_timer: asyncio.TimerHandle | None = None

    # --- the connection ---

    async def connect(self) -> None:
        """Connect anew, dropping what there was. Raises BrokerUnavailable, and what `check_fence` raises."""
        self._check_fence()
        self._drop("a new connection is being opened")
        self._market_data.on_lost()  # before the notices of the login, which would ask for it again
        self._link.opening()
        client = self._new_client()
        refused: asyncio.Future[BrokerUnavailable] = asyncio.get_running_loop().create_future()
        self._opening = (client, refused)
        try:
            await open_connection(client, self._host, self._port, self._client_id, refused, self._connect_seconds)
            account_must_be(client, self._account_id)
        except BaseException:
            _hang_up(client)
            raise
        finally:
            self._opening = None
        self._client = client
        version = client.serverVersion()
        self._queue.count(1)
        self._orders.on_connected(client, OrderEncoder(version, self._account_id), client.conn.transport.write)
        self._market_data.on_connected(client)
        self._read_back.on_connected()
        if not self._deterministic:
            await self.read_time_ms()  # it is up when it answers: some log in and then say nothing
        self._link.up(f"connected to {self._host}:{self._port} as client {self._client_id}, server version {version}")
        self._on_chunk()

    async def close(self, reason: str = "closed by us") -> None:
        """Disconnect; live orders stay at the broker."""
        client = self._client
        self._drop(reason)
        if client is not None:
            await asyncio.sleep(0)

    @property
    def is_connected(self) -> bool:
        """True while the socket is up and logged in."""
        return self._client is not None

    # --- commands ---

    def send(self, commands: Commands) -> None:
        """Write the orders among these commands, in order; what can't be sent comes back as an error of code 0."""
        for command in commands:
            match command:
                case PlaceBracket():
                    self._orders.place_bracket(command)
                case PlaceOrders():
                    self._orders.place_orders(command)
                case ModifyOrder():
                    self._orders.modify(command)
                case CancelOrder():
                    self._orders.cancel(command)
                case CancelEverything():
                    self._orders.cancel_everything(command)
                case _:
                    pass  # not for the broker

    @property
    def orders(self) -> Orders:
        """The orders on the wire, for what `send` has no command for."""
        return self._orders

    # --- questions ---

    def subscribe(self, tickers: Iterable[str]) -> None:
        """Ask for quotes and 5-second bars, anew where that was done. Raises BrokerUnavailable, ContractUnknown."""
        self._connected()
        self._market_data.subscribe(tickers)

    async def read_instruments(self, tickers: Iterable[str]) -> tuple[Instrument | ContractUnknown, ...]:
        """What each ticker is, or why the broker does not say. Raises BrokerUnavailable.

        While it says so of none at all, the link is degraded: one outage, told once, whatever is connected meanwhile.
        """
        answers = await self._contracts.read(self._connected(), tickers)
        unknown = [answer for answer in answers if isinstance(answer, ContractUnknown)]
        if unknown and not self._contracts.has_any():
            self._link.begin(NO_CONTRACTS, f"no contract is known: {unknown[0]}")
        elif answers:
            self._link.end(NO_CONTRACTS, "contracts are known")
        return answers

    def contract_oddities(self) -> tuple[str, ...]:
        """What could not be read of the tickers, and what is done instead, in words."""
        return self._contracts.oddities()

    def latest_close_ms(self, open_ms: int, close_ms: int) -> int | None:
        """The last close that the broker tells for a day of these hours (UTC epoch ms); None where it tells none."""
        return self._contracts.latest_close_ms(open_ms, close_ms)

    async def read_back(self) -> None:
        """Emit one complete `BrokerRead`. Raises RequestTimedOut, BrokerUnavailable.

        A gateway that has lost IB is not asked: a list that lacks rows would read as flat (CASES 21). A connection on
        which the answers are late is dropped, or they would be taken for those of the next read-back.
        """
        try:
            await self._read_back.read(self._account_id)
        except RequestTimedOut as late:
            self._drop(str(late))
            raise

    async def read_account(self) -> AccountRead:
        """Buying power, net liquidation, day trades remaining. Raises RequestTimedOut, BrokerUnavailable."""
        return await self._account.read(self._connected())

    async def read_history(self, ticker: str, end_ms: int, duration_seconds: int) -> tuple[Bar, ...]:
        """Closed 10-second bars; see broker/history for what it raises."""
        self._connected()
        return await self._history.read(ticker, end_ms, duration_seconds)

    async def read_what_if(self, ticker: str) -> WhatIf:
        """What one share at the market would come to. Raises RequestRefused, BrokerUnavailable."""
        contract = self._contracts.listing(ticker).contract
        return await self._what_ifs.ask(self._connected(), self._orders.take_id(), contract, self._account_id)

    async def read_quote_problem(self, ticker: str) -> str:
        """Why quotes of this ticker are not live, in words; empty when they are. Raises BrokerUnavailable."""
        return await self._entitlements.problem(self._connected(), ticker)

    async def read_time_ms(self) -> int:
        """The broker's time. No answer in time means a dead link: it is dropped, and BrokerUnavailable raised."""
        client = self._connected()
        self._queue.pump()
        if self._time is None or self._time.done():
            self._time = asyncio.get_running_loop().create_future()
            if not self._deterministic:
                self._queue.count(1)
            client.reqCurrentTime()
        try:
            async with asyncio.timeout(self._heartbeat_seconds):
                now_ms = await asyncio.shield(self._time)
        except TimeoutError:
            silent = RequestTimedOut("the heartbeat", self._heartbeat_seconds)
            self._drop(str(silent), silent=True)
            raise silent from None
        self._market_data.check()
        return now_ms

    # --- called by the client and the decoder ---

    def _on_time(self, seconds: int) -> None:
        if self._time is not None and not self._time.done():
            self._time.set_result(seconds * 1000)

    def _on_chunk(self) -> None:
        with self._boundary:
            self._market_data.flush()
        with self._boundary:
            self._on_batch()

    def _on_closed(self, client: Any) -> None:
        if self._opening is not None and client is self._opening[0]:
            self._refuse(closed_early(client, self._client_id))
        elif self._client is not None and client is self._client:
            self._drop("the gateway closed the connection")

    def _refuse(self, refusal: BrokerUnavailable) -> None:
        if self._opening is not None and not self._opening[1].done():
            self._opening[1].set_result(refusal)

    # --- inside ---

    def _connected(self) -> Any:
        if self._client is None:
            raise BrokerUnavailable(Unavailability.LOST, f"not connected to {self._host}:{self._port}")
        return self._client

    def _connected_to_ib(self) -> Any:
        client = self._connected()
        if self._link.is_cut_off:
            raise BrokerUnavailable(Unavailability.LOST, "the gateway has lost IB: it cannot tell how the account is")
        return client

    def _new_client(self) -> Any:
        wrapper = Wrapper(
            account=self._account,
            contracts=self._contracts,
            entitlements=self._entitlements,
            executions=self._executions,
            history=self._history,
            market_data=self._market_data,
            orders=self._orders,
            read_back=self._read_back,
            on_error=self._notices.on_error,
            on_time=self._on_time,
            on_chunk=self._on_chunk,
            on_closed=lambda: self._on_closed(client),
        )
        client: Any = Client(wrapper)  # type: ignore[no-untyped-call]  # ib_async's methods carry no types
        client.MaxRequests = 0  # our queue paces
        client.decoder = LoudDecoder(wrapper, self._gateway_zone, self._on_failure)
        return client

    def _drop(self, reason: str, *, silent: bool = False) -> None:
        """Give the connection up. What waited to be written was not sent; who awaits an answer hears why none comes.

        The socket is closed last, so that the loss has been told whatever the socket does.
        """
        client, self._client = self._client, None
        if client is None:
            return
        reason = with_window(reason, self._clock.now_ms())
        lost = BrokerUnavailable(Unavailability.LOST, f"the connection was lost: {reason}")
        self._orders.on_lost()
        self._link.lost(reason)
        self._queue.clear()
        self._requests.fail_all(lost)
        if self._time is not None and not self._time.done():
            self._time.set_exception(lost)
            self._time.exception()  # seen, should nobody be waiting
        self._on_chunk()
        _hang_up(client, at_once=silent)

    def _pump_later(self) -> None:
        if self._deterministic or self._pump_timer is not None:
            return  # deterministic: the clock moves with the next heartbeat, which pumps
        self._pump_timer = asyncio.get_running_loop().call_later(PUMP_SECONDS, self._pump)

    def _pump(self) -> None:
        self._pump_timer = None
        with self._boundary:
            self._queue.pump()


def _hang_up(client: Any, *, at_once: bool = False) -> None:
    """Close the socket: what was written still goes out, unless nobody listens any more."""
    transport = client.conn.transport
    try:
        client.disconnect()
    except OSError:  # the peer has reset the connection, which the loop has not heard yet: nothing can go out
        at_once = True
    if at_once and transport is not None:
        transport.abort()
