"""Orders, executions and completed orders: who may ask for what, and who hears of which order.

An order's messages go to the client that placed it, to the master client, and, for orders made by hand, to client 0.
"""

from __future__ import annotations

from collections.abc import Mapping

from simulator.model import CommissionReport, Execution, ExecutionFilter, Order
from simulator.server.desk import Desk, Office, Route
from simulator.server.lookup import find_instrument
from simulator.server.session import Session
from simulator.wire import answers, codes, executions, orders, requests
from simulator.wire.fields import FieldError
from simulator.wire.place_order import PlaceOrder
from simulator.wire.times import TimeTextError, parse_moment


class OrderDesk(Desk):
    """3, 4, 5, 7, 8, 15, 16, 58 and 99."""

    def __init__(self, office: Office, read_only: bool, master_client_id: int | None) -> None:
        super().__init__(office)
        self.read_only = read_only
        self._master = master_client_id
        self._client_of_execution: dict[str, int] = {}

    def routes(self) -> Mapping[int, Route]:
        """Message id to reader and handler."""
        return {
            3: (PlaceOrder.read, self._place),
            4: (requests.CancelOrder.read, self._cancel),
            5: (requests.Nothing.read, self._open_orders),
            7: (requests.Executions.read, self._executions),
            8: (requests.Number.read, self._next_id),
            15: (requests.Switch.read, self._auto_open_orders),
            16: (requests.Nothing.read, self._all_open_orders),
            58: (requests.Nothing.read, self._global_cancel),
            99: (requests.Switch.read_bare, self._completed),
        }

    # ---- requests ---------------------------------------------------------------------------------------------
    def _place(self, session: Session, wanted: PlaceOrder) -> None:
        error = self.office.error
        if self._refuse_read_only(session, wanted.order_id):
            return
        if wanted.unsupported:
            error(session, wanted.order_id, codes.VALIDATING, codes.validating(f"{wanted.unsupported} not supported"))
            return
        instrument = find_instrument(self.venue, wanted.contract, wanted.sec_id_type, wanted.sec_id)
        if instrument is None:
            error(session, wanted.order_id, codes.NO_DEFINITION)
            return
        try:
            request = wanted.request(instrument)
        except (FieldError, TimeTextError) as cause:
            error(session, wanted.order_id, codes.READING, codes.reading(str(cause)))
            return
        if request.account not in ("", self.venue.account):
            error(session, wanted.order_id, codes.VALIDATING, codes.validating("Invalid account code"))
            return
        self.venue.place(session.client_id, request)

    def _cancel(self, session: Session, wanted: requests.CancelOrder) -> None:
        if not self._refuse_read_only(session, wanted.order_id):
            self.venue.cancel(session.client_id, wanted.order_id)

    def _global_cancel(self, session: Session, _: requests.Nothing) -> None:
        if not self._refuse_read_only(session, -1):
            self.venue.global_cancel()

    def _refuse_read_only(self, session: Session, order_id: int) -> bool:
        if self.read_only:
            self.office.error(session, order_id, codes.VALIDATING, codes.validating(codes.READ_ONLY_CAUSE))
        return self.read_only

    def _open_orders(self, session: Session, _: requests.Nothing) -> None:
        self._list_open(session, self.venue.open_orders(session.client_id))

    def _all_open_orders(self, session: Session, _: requests.Nothing) -> None:
        self._list_open(session, self.venue.open_orders(None))

    def _list_open(self, session: Session, listed: list[Order]) -> None:
        for order in listed:
            self._send_order(session, order)
            self._send_status(session, order)
        self.office.send(session, answers.open_order_end())

    def _completed(self, session: Session, wanted: requests.Switch) -> None:
        for order in self.venue.completed_orders():
            if order.order_id > 0 or not wanted.on:
                self.office.send(session, orders.completed_order(session.version, order, self.venue.account))
        self.office.send(session, answers.completed_orders_end())

    def _auto_open_orders(self, session: Session, _: requests.Switch) -> None:
        if session.client_id != 0:
            self.office.error(session, -1, codes.NOT_CLIENT_ZERO)

    def _next_id(self, session: Session, _: requests.Number) -> None:
        self.office.send(session, answers.next_valid_id(self.venue.next_order_id(session.client_id)))

    def _executions(self, session: Session, wanted: requests.Executions) -> None:
        try:
            since_ms = parse_moment(wanted.time) if wanted.time else 0
        except TimeTextError as cause:
            self.office.error(session, wanted.request_id, codes.VALIDATING, codes.validating(str(cause)))
            return
        side = {"BOT": "BUY", "SLD": "SELL"}.get(wanted.side.upper(), wanted.side.upper())
        exchange = "" if wanted.exchange == "SMART" else wanted.exchange
        asked = ExecutionFilter(
            wanted.client_id, wanted.account, since_ms, wanted.symbol, wanted.sec_type, exchange, side
        )
        found = self.venue.executions(asked)
        for execution, report in found:
            self.office.send(session, executions.exec_details(session.version, wanted.request_id, execution))
            if report is not None:
                self.office.send(session, executions.commission_report(report))
        self.office.send(session, answers.ended(55, wanted.request_id))

    # ---- news -------------------------------------------------------------------------------------------------
    def _audience(self, client_id: int) -> list[Session]:
        owner = self.office.client(client_id)
        master = self.office.client(self._master) if self._master is not None else None
        audience = [owner] if owner is not None else []
        return audience if master is None or master is owner else [*audience, master]

    def on_order(self, order: Order) -> None:
        """openOrder to all who may see the order; a whatIf's answer to the one who asked."""
        for session in self._audience(order.client_id):
            if session.client_id == order.client_id or not order.request.what_if:
                self._send_order(session, order)

    def on_order_status(self, order: Order) -> None:
        """orderStatus to all who may see the order."""
        for session in self._audience(order.client_id):
            self._send_status(session, order)

    def on_execution(self, execution: Execution) -> None:
        """execDetails with request id -1."""
        self._client_of_execution[execution.exec_id] = execution.client_id
        for session in self._audience(execution.client_id):
            self.office.send(session, executions.exec_details(session.version, -1, execution))

    def on_commission(self, report: CommissionReport) -> None:
        """commissionReport to those who saw the execution."""
        for session in self._audience(self._client_of_execution.get(report.exec_id, -1)):
            self.office.send(session, executions.commission_report(report))

    def on_order_error(self, client_id: int, order_id: int, code: int, text: str) -> None:
        """An order's error goes to the client that the venue names."""
        session = self.office.client(client_id)
        if session is not None:
            self.office.error(session, order_id, code, text)

    def _send_order(self, session: Session, order: Order) -> None:
        self.office.send(session, orders.open_order(session.version, order, self.venue.account))

    def _send_status(self, session: Session, order: Order) -> None:
        self.office.send(
            session,
            answers.order_status(
                order.order_id,
                order.status,
                order.filled,
                order.remaining,
                order.average_price,
                order.perm_id,
                order.request.parent_id,
                order.last_fill_price / 10_000,
                order.client_id,
                order.why_held,
            ),
        )
