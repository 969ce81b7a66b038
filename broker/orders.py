"""Our orders on the wire: ids and references, placing, modifying, cancelling, and what the broker echoes."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, Final

from ib_async.contract import Contract
from ib_async.order import Order, OrderState

from broker.codes import order_error_kind
from broker.contracts import Contracts
from broker.encoder import OrderEncoder, WireOrder
from broker.errors import ContractUnknown
from broker.pacing import MessageQueue, Priority
from broker.times import ib_time
from broker.translate import TERMINAL, open_order, order_status, shares_of
from broker.what_if import WhatIfs
from core.commands import CancelEverything, CancelOrder, ModifyOrder, PlaceBracket, PlaceOrders
from core.events import Event, OrderErrorReported, OrderReported, OrderStatusReported
from core.orders import OpenOrder, OrderSpec
from core.vocabulary import ErrorKind

NOT_SENT: Final = 0
"""The code of an error that is ours: the message provably never left this process."""

DUPLICATE_ID: Final = 103

log = logging.getLogger(__name__)

WriteFrames = Callable[[bytes], None]


class Orders:
    """Knows every order by its reference, its id (per client) and its permId (for ever)."""

    def __init__(self, client_id: int, contracts: Contracts, queue: MessageQueue, what_ifs: WhatIfs,
                 emit: Callable[[Event], None], now_ms: Callable[[], int]) -> None:  # fmt: skip
        self._client_id = client_id
        self._contracts = contracts
        self._queue = queue
        self._what_ifs = what_ifs
        self._emit = emit
        self._now_ms = now_ms
        self._encoder: OrderEncoder | None = None
        self._write: WriteFrames = lambda frames: None
        self._client: Any = None
        self._next_id = 1
        self._id_by_ref: dict[str, int] = {}
        self._ref_by_id: dict[int, str] = {}
        self._ref_by_perm: dict[int, str] = {}
        self._id_by_perm: dict[int, int] = {}  # of this client's orders: no other can be cancelled
        self._sent: dict[str, WireOrder] = {}
        self._modifying: set[str] = set()
        self._known: dict[object, OpenOrder] = {}  # newest echo of every order, ours and foreign
        self._listed: dict[object, None] | None = None  # keys in the order of a running read-back

    # --- the link ---

    def on_connected(self, client: Any, encoder: OrderEncoder, write: WriteFrames) -> None:
        """Write through this connection from now on."""
        self._client, self._encoder, self._write = client, encoder, write
        self._modifying.clear()

    def on_lost(self) -> None:
        """No connection: every command from now on is answered as not sent."""
        self._encoder = None

    # --- commands ---

    def place_bracket(self, command: PlaceBracket) -> None:
        """Parent and children in one write; the last one transmits them all (ORDERS 1)."""
        specs = (command.entry, *command.children)
        encoder = self._encoder
        if encoder is None:
            self._not_sent(specs)
            return
        first_id, parent_id = self._next_id, self._next_id
        try:
            frames = [self._frame(encoder, first_id, command.entry, 0, transmit=not command.children)]
            for offset, spec in enumerate(command.children, 1):
                frames.append(self._frame(encoder, first_id + offset, spec, parent_id, transmit=spec is specs[-1]))
        except ContractUnknown as unknown:
            self._not_sent(specs, str(unknown))
            return
        self._put(Priority.ENTRY, frames, specs)
        self._remember(specs)

    def place_orders(self, command: PlaceOrders) -> None:
        """Stand-alone orders, each transmitted, in one write."""
        encoder = self._encoder
        if encoder is None:
            self._not_sent(command.orders)
            return
        try:
            frames = [
                self._frame(encoder, self._next_id + offset, spec, 0, transmit=True)
                for offset, spec in enumerate(command.orders)
            ]
        except ContractUnknown as unknown:
            self._not_sent(command.orders, str(unknown))
            return
        self._put(Priority.EXIT, frames, command.orders)
        self._remember(command.orders)

    def modify(self, command: ModifyOrder, *, parent_ref: str = "") -> None:
        """Resend the order as the broker last echoed it, with the new numbers and without its parent (ORDERS 2).

        `parent_ref` names the parent all the same: only to find out what the broker makes of it.
        """
        ref = command.order_ref
        order_id, sent = self._id_by_ref.get(ref), self._sent.get(ref)
        if self._encoder is None or order_id is None or sent is None:
            reason = "not connected" if self._encoder is None else "the broker has not echoed this order yet"
            self._refuse(ref, ErrorKind.MODIFY_REFUSED, f"{reason}: the change was not sent")
            return
        changed = sent._replace(
            shares=command.shares,
            limit_price=sent.limit_price if command.limit_price is None else command.limit_price,
            stop_price=sent.stop_price if command.stop_price is None else command.stop_price,
        )
        frame = self._encoder.frame(order_id, changed, parent_id=self._id_by_ref.get(parent_ref, 0))
        self._modifying.add(ref)
        self._queue.put(
            Priority.EXIT,
            1,
            lambda: self._write(frame),
            lambda: self._refuse(ref, ErrorKind.MODIFY_REFUSED, "the link was lost: the change was not sent"),
        )

    def cancel(self, command: CancelOrder) -> None:
        """Ask for the end of one order; a permId says which, where two bear the same reference (CASES 12).

        IB lets a client cancel its own orders only (ORDERS 12): a person has to end the double of another client.
        """
        ref, perm_id = command.order_ref, command.perm_id
        order_id = self._id_by_perm.get(perm_id) if perm_id else self._id_by_ref.get(ref)
        if self._encoder is None:
            self._refuse(ref, ErrorKind.WARNING, "not connected: the cancel was not sent")
        elif order_id is None and perm_id:
            words = f"permId {perm_id}, a double of {ref}, is another client's: cancel it in TWS"
            self._refuse("", ErrorKind.NOT_FOUND, words)
        elif order_id is None:
            self._refuse(ref, ErrorKind.NOT_FOUND, "this client has no such order: the cancel was not sent")
        else:
            client = self._client
            self._queue.put(
                Priority.EXIT,
                1,
                lambda: client.cancelOrder(order_id),
                lambda: self._refuse(ref, ErrorKind.WARNING, "the link was lost: the cancel was not sent"),
            )

    def cancel_by_number(self, order_id: int) -> None:
        """Ask for the end of an order that another client placed: only to find out what the broker makes of it."""
        self._queue.put(Priority.EXIT, 1, lambda: self._client.cancelOrder(order_id))

    def cancel_everything(self, command: CancelEverything) -> None:
        """Global cancel: every order of the account, foreign ones too."""
        if self._encoder is None:
            log.error("not connected: the cancel of everything was not sent")
            return
        self._queue.put(Priority.EXIT, 1, self._client.reqGlobalCancel)

    # --- called by the decoder ---

    def on_next_id(self, order_id: int) -> None:
        """The broker's next order id. It never moves ours backwards."""
        self._next_id = max(self._next_id, order_id)

    def on_open_order(self, order_id: int, contract: Contract, order: Order, state: OrderState) -> None:
        """An echo: of a placement, a change of state, or a listing; or the answer to a whatIf, which is no order."""
        if order.whatIf:
            self._what_ifs.on_answer(order_id, order, state)
            return
        key = _key(order.permId, order.clientId, order.orderId)
        before = self._known.get(key)
        echo = open_order(
            self._contracts.ticker_of(contract), order, state, filled=before.filled if before is not None else 0
        )
        self._known[key] = echo
        if echo.client_id == self._client_id:
            self._learn(echo, contract, order)
        if self._listed is not None:
            self._listed[key] = None
            if echo.client_id != self._client_id:
                return  # foreign orders are told by the read-back
        self._emit(OrderReported(self._now_ms(), echo))

    def on_status(self, order_id: int, status: str, filled: float, remaining: float, _average_price: float,
                  perm_id: int, _parent_id: int, _last_price: float, client_id: int, why_held: str,
                  _cap_price: float) -> None:  # fmt: skip
        """A status. It may repeat, skip and come in any order: passed on as it is."""
        key = _key(perm_id, client_id, order_id)
        word, shares = order_status(status), int(filled)
        known = self._known.get(key)
        if known is not None:
            self._known[key] = replace(known, status=word, filled=max(shares, known.filled))
            if self._listed is not None:
                self._listed[key] = None  # its echo did not come, but it is there
        ref = self.ref_of(client_id, order_id, perm_id)
        if self._listed is not None and client_id != self._client_id:
            return
        whole = shares_of(ref, remaining, "remaining shares")
        self._emit(OrderStatusReported(self._now_ms(), ref, perm_id, word, shares, whole, why_held))

    def on_error(self, order_id: int, code: int, text: str) -> None:
        """An error on an order of this client."""
        if self._what_ifs.refuse(order_id, code, text):
            return
        ref = self._ref_by_id.get(order_id, "")
        kind = order_error_kind(code, text, modifying=ref in self._modifying)
        self._modifying.discard(ref)
        if code == DUPLICATE_ID and self._encoder is not None:
            self._queue.put(Priority.ENTRY, 1, lambda: self._client.reqIds(1))
        self._emit(OrderErrorReported(self._now_ms(), ref, code, kind, text))

    # --- for the other parts ---

    def ref_of(self, client_id: int, order_id: int, perm_id: int) -> str:
        """The reference of an order; empty when it is not one of ours that we know."""
        by_perm = self._ref_by_perm.get(perm_id) if perm_id else None
        if by_perm is not None:
            return by_perm
        return self._ref_by_id.get(order_id, "") if client_id == self._client_id else ""

    def take_id(self) -> int:
        """An order id that no order will have."""
        order_id, self._next_id = self._next_id, self._next_id + 1
        return order_id

    def owns_id(self, order_id: int) -> bool:
        """Whether an order of this client has this id."""
        return order_id in self._ref_by_id

    def begin_listing(self) -> None:
        """From now on every order that the broker names, by echo or status, belongs to the read-back."""
        self._listed = {}

    def end_listing(self) -> tuple[OpenOrder, ...]:
        """The live orders named since `begin_listing`, with their newest status."""
        listed, self._listed = self._listed or {}, None
        return tuple(self._known[key] for key in listed if self._known[key].status not in TERMINAL)

    # --- inside ---

    def _learn(self, echo: OpenOrder, contract: Contract, order: Order) -> None:
        self._next_id = max(self._next_id, echo.order_id + 1)
        if not echo.order_ref:
            return
        if echo.perm_id:
            self._ref_by_perm[echo.perm_id] = echo.order_ref
            self._id_by_perm[echo.perm_id] = echo.order_id
        if self._is_double(echo):
            return
        self._id_by_ref[echo.order_ref] = echo.order_id
        self._ref_by_id[echo.order_id] = echo.order_ref
        self._modifying.discard(echo.order_ref)
        self._sent[echo.order_ref] = WireOrder(
            con_id=contract.conId,
            symbol=contract.symbol,
            action=order.action,
            shares=echo.shares,
            order_type=order.orderType,
            limit_price=echo.limit_price,
            stop_price=echo.stop_price,
            time_in_force=order.tif,
            oca_group=order.ocaGroup,
            oca_type=order.ocaType,
            order_ref=order.orderRef,
            good_after_time=order.goodAfterTime,
        )

    def _is_double(self, echo: OpenOrder) -> bool:
        """Whether the reference already names another order, which as far as we know has not ended."""
        first_id = self._id_by_ref.get(echo.order_ref, echo.order_id)
        first = self._known.get(_key(0, self._client_id, first_id))
        return first_id != echo.order_id and (first is None or first.status not in TERMINAL)

    def _frame(self, encoder: OrderEncoder, order_id: int, spec: OrderSpec, parent_id: int, *, transmit: bool) -> bytes:
        contract = self._contracts.for_order(spec.ticker)
        order = (
            contract.conId, spec.ticker, spec.action, spec.shares, spec.kind, spec.limit_price,
            spec.stop_price, spec.time_in_force, spec.oca_group, spec.oca_type, spec.order_ref,
            "" if spec.good_after_ms is None else ib_time(spec.good_after_ms),
        )  # fmt: skip
        return encoder.frame(order_id, order, parent_id=parent_id, transmit=transmit)

    def _put(self, priority: Priority, frames: list[bytes], specs: Iterable[OrderSpec]) -> None:
        piece = b"".join(frames)
        self._queue.put(priority, len(frames), lambda: self._write(piece), lambda: self._not_sent(specs))

    def _remember(self, specs: Iterable[OrderSpec]) -> None:
        for spec in specs:
            self._id_by_ref[spec.order_ref] = self._next_id
            self._ref_by_id[self._next_id] = spec.order_ref
            self._next_id += 1

    def _not_sent(self, specs: Iterable[OrderSpec], why: str = "not connected") -> None:
        for spec in specs:
            self._refuse(spec.order_ref, ErrorKind.REJECTED, f"{why}: the order was never sent")

    def _refuse(self, order_ref: str, kind: ErrorKind, text: str) -> None:
        self._emit(OrderErrorReported(self._now_ms(), order_ref, NOT_SENT, kind, text))


def _key(perm_id: int, client_id: int, order_id: int) -> object:
    """Client and order id name an order from its first message on; manual orders, all with id 0, their permId."""
    return (client_id, order_id) if order_id else perm_id
