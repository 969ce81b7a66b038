"""Faults of market data and history: broken farms, silence, competing sessions, missing permissions, lost messages."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

from simulator.faults.action import Action
from simulator.faults.events import Event
from simulator.faults.filters import MessageFilter
from simulator.faults.gate import NEVER_MS
from simulator.faults.names import numbers
from simulator.faults.world import World
from simulator.server.market_desk import Permission
from simulator.wire import codes
from simulator.wire.framing import payload_of

_FARMS = MappingProxyType({"market": (2103, 2104), "history": (2105, 2106), "definitions": (2157, 2158)})


@dataclass(frozen=True, slots=True)
class Farm(Action):
    """A data farm is broken and mended: market data stands still, or history is refused."""

    name = "farm"
    farm: str = "market"
    seconds: int = 30
    announced: bool = True

    def __post_init__(self) -> None:
        if self.farm not in _FARMS:
            raise ValueError(f"fault farm.farm: {self.farm!r}; allowed are {', '.join(_FARMS)}")

    def apply(self, world: World, event: Event | None) -> str:
        """Break it now."""
        if self.announced:
            broken, mended = _FARMS[self.farm]
            world.hub.announce(broken)
            world.gate.broken_farms[mended] = broken
        if self.farm == "market":
            world.markets.freeze(world.instruments(()), world.now_ms + self.seconds * 1000)
        elif self.farm == "history":
            world.history.refusal = "HMDS server disconnect occurred.  Attempting reconnection..."
        return f"{self.farm} for {self.seconds} s"

    def follow_up(self) -> tuple[int, Action] | None:
        """Mend it."""
        return self.seconds, FarmMended(self.farm, self.announced)


@dataclass(frozen=True, slots=True)
class FarmMended(Action):
    """The farm's OK code."""

    name = "farm_mended"
    farm: str = "market"
    announced: bool = True

    def apply(self, world: World, event: Event | None) -> str:
        """Mend it now."""
        if self.farm == "history":
            world.history.refusal = ""
        if self.announced:
            mended = _FARMS[self.farm][1]
            world.hub.announce(mended)
            world.gate.broken_farms.pop(mended, None)
        return self.farm


@dataclass(frozen=True, slots=True)
class Freeze(Action):
    """Data stands still while every code says that all is well; of some symbols, or of all."""

    name = "freeze"
    seconds: int = 30
    symbols: tuple[str, ...] = ()

    def apply(self, world: World, event: Event | None) -> str:
        """Freeze now; it ends by itself."""
        world.markets.freeze(world.instruments(self.symbols), world.now_ms + self.seconds * 1000)
        return f"{list(self.symbols) or 'all'} for {self.seconds} s"


@dataclass(frozen=True, slots=True)
class Competing(Action):
    """Somebody logs in elsewhere: 10197 for every subscription, then silence, then the data comes back."""

    name = "competing"
    seconds: int = 60

    def apply(self, world: World, event: Event | None) -> str:
        """Compete now."""
        subscriptions = world.markets.subscriptions()
        for session, request_id in subscriptions:
            world.hub.error(session, request_id, codes.COMPETING_SESSION)
        world.markets.freeze(world.instruments(()), world.now_ms + self.seconds * 1000)
        return f"10197 for {len(subscriptions)} subscriptions, {self.seconds} s"


@dataclass(frozen=True, slots=True)
class UpdatesLost(Action):
    """10182: real-time bars and history kept up to date end, each with an error of its own."""

    name = "updates_lost"

    def apply(self, world: World, event: Event | None) -> str:
        """End them now."""
        ended = [*world.markets.bar_subscriptions(), *world.history.growing()]
        world.markets.forget_bars()
        world.history.forget_all()
        for session, request_id in ended:
            world.hub.error(session, request_id, 10182)
        return f"10182 for {len(ended)} subscriptions"


@dataclass(frozen=True, slots=True)
class Entitlement(Action):
    """The account may not see some data: 354, 10089, 10168, 10186 nothing, 10167 delayed data; 0 all again."""

    name = "entitlement"
    code: int = codes.NOT_SUBSCRIBED
    symbols: tuple[str, ...] = ()

    def apply(self, world: World, event: Event | None) -> str:
        """For every subscription from now on."""
        if self.code and self.code not in codes.TEXTS:
            allowed = "0, 354, 10089, 10090, 10167, 10168, 10186"
            raise ValueError(f"fault entitlement.code: {self.code}; allowed are {allowed}")
        world.markets.permission = Permission(self.code, frozenset(self.symbols))
        return f"{self.code} for {list(self.symbols) or 'all'}"


@dataclass(frozen=True, slots=True)
class MessageFault(Action):
    """What the four message faults share: which, how many, how long, how likely, and for whom."""

    messages: tuple[str, ...] = ("orders",)
    count: int = 1
    seconds: int | None = None
    probability: float = 1.0
    clients: tuple[int, ...] = ()
    skip: int = 0

    def __post_init__(self) -> None:
        if not 0 < self.probability <= 1:
            raise ValueError(f"probability: {self.probability}; allowed is a number above 0, up to 1")
        numbers(self.messages, inbound=self._inbound())

    def _inbound(self) -> bool:
        return False

    def _delay_seconds(self) -> int:
        return 0

    def apply(self, world: World, event: Event | None) -> str:
        """Set the rule."""
        until_ms = NEVER_MS if self.seconds is None else world.now_ms + self.seconds * 1000
        rule = MessageFilter(
            what=self.name,
            numbers=numbers(self.messages, inbound=self._inbound()),
            left=self.count,
            until_ms=until_ms,
            clients=frozenset(self.clients),
            probability=self.probability,
            chance=world.chance,
            delay_seconds=self._delay_seconds(),
            skip=self.skip,
        )
        (world.gate.inbound if self._inbound() else world.gate.filters).append(rule)
        return f"{self.count} of {', '.join(self.messages)}"


@dataclass(frozen=True, slots=True)
class Lose(MessageFault):
    """Messages to clients vanish."""

    name = "lose"


@dataclass(frozen=True, slots=True)
class LoseRequest(MessageFault):
    """Requests of clients vanish: an order that nobody ever hears of again."""

    name = "lose_request"
    messages: tuple[str, ...] = ("placeOrder",)

    def _inbound(self) -> bool:
        return True


@dataclass(frozen=True, slots=True)
class Duplicate(MessageFault):
    """Messages come twice."""

    name = "duplicate"


@dataclass(frozen=True, slots=True)
class Reorder(MessageFault):
    """Messages come after the one that follows them."""

    name = "reorder"


@dataclass(frozen=True, slots=True)
class Delay(MessageFault):
    """Messages come some simulated seconds late."""

    name = "delay"
    by_seconds: int = 5

    def _delay_seconds(self) -> int:
        return self.by_seconds


@dataclass(frozen=True, slots=True)
class Misalign(MessageFault):
    """Bars bear a time that is some seconds off the grid."""

    name = "misalign"
    messages: tuple[str, ...] = ("realTimeBar",)
    by_seconds: int = 2

    def _delay_seconds(self) -> int:
        return self.by_seconds


@dataclass(frozen=True, slots=True)
class Inject(Action):
    """A message that nobody has asked for, field by field: an unknown order id, for one."""

    name = "inject"
    fields: tuple[str, ...] = ()
    clients: tuple[int, ...] = ()

    def apply(self, world: World, event: Event | None) -> str:
        """Send it now."""
        payload = payload_of(self.fields)
        for session in world.sessions(self.clients):
            world.hub.put(session, payload)
        return "|".join(self.fields)


@dataclass(frozen=True, slots=True)
class PredictionsDown(Action):
    """The prediction service answers its next requests with an HTTP error."""

    name = "predictions_down"
    status: int = 500
    count: int = 10

    def apply(self, world: World, event: Event | None) -> str:
        """From the next request on."""
        if world.predictions is None:
            raise ValueError("fault predictions_down: no prediction service runs here (--predictions-port)")
        world.predictions.fail_next(self.status, self.count)
        return f"{self.status} for {self.count} requests"
